"""Path converters: anything that they don't match never reaches a view or the database."""

from django.urls import register_converter

from portal.web.downloads import SheetKind


class OrderNumber:
    """Our own number of an order; anything else names none and never reaches the database."""

    regex = "[0-9A-Za-z]{1,20}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class BatchKey:
    """A primary key, no longer than the database can hold."""

    regex = "[0-9]{1,18}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


class ProductName(OrderNumber):
    """A product in an address."""

    regex = "mobile|oil"


class WhichLines(OrderNumber):
    """Lines of a sheet that somebody should look at."""

    regex = "bad|suspicious"


def register() -> None:
    """Register the converters; once, before any address that uses them."""
    register_converter(OrderNumber, "order_no")
    register_converter(BatchKey, "batch_key")
    register_converter(ProductName, "product")
    register_converter(SheetKind, "sheet")
    register_converter(WhichLines, "lines")
