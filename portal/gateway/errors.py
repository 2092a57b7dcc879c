"""What a call to the platform can end in, other than an answer."""


class GatewayError(Exception):
    """Base of everything that a `Client` method raises, apart from `ValueError` for wrong use."""


class Rejected(GatewayError):
    """The platform said no: HTTP 200 and a JSON object whose code is not 0000. Nothing was spent. [doc]

    `code` and `message` are the platform's own words, `raw` is the whole answer.
    """

    def __init__(self, code: str, message: str, raw: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.raw = raw

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class NotSent(GatewayError):
    """Certainly no byte of the HTTP request left this machine: the same call may be made again."""


class OutcomeUnknown(GatewayError):
    """The request, or a part of it, may have arrived and nothing usable came back.

    `raw` is what was received: the body of a complete answer, or of an answer that broke off the bytes on
    the wire including its head; at most 64 KiB, "" if nothing came. `status` is that of HTTP where it is the
    reason, else 0.
    """

    def __init__(self, reason: str, raw: str = "", status: int = 0) -> None:
        super().__init__(reason)
        self.raw = raw
        self.status = status
