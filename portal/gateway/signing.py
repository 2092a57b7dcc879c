"""The signature of a request. [pub]"""

import hashlib
from collections.abc import Mapping


def sign(secret: str, parameters: Mapping[str, str]) -> str:
    """Return the uppercase hex MD5 that the platform expects as `sign`. [pub]

    `parameters` are all system and business parameters that are sent, without `sign` itself, with their raw,
    un-encoded values. They are sorted by name in ASCII order. A parameter with an empty value is sent, so it
    is signed too.
    """
    signed = "".join(name + parameters[name] for name in sorted(parameters))
    return hashlib.md5(f"{secret}{signed}{secret}".encode(), usedforsecurity=False).hexdigest().upper()
