"""An authenticator app, as people have it on their telephones (RFC 6238), and what e2e tests' people keep in it."""

import base64
import hashlib
import hmac
import struct
import time

PERIOD = 30


class App:
    """Shows a code of each half minute once, as the portal takes it; waits where there is none left."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._last = 0

    def code(self) -> str:
        step = max(self._last + 1, int(time.time()) // PERIOD)
        while step > int(time.time()) // PERIOD + 1:
            time.sleep(0.5)
        self._last = step
        return code_of(self.secret, step)


def code_of(secret: str, step: int) -> str:
    """Return the code of a secret in a half minute, counted from 1970."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    begin = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[begin : begin + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
