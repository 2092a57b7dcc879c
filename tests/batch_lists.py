"""Lists to make batches of, and batches that were made of them."""

import uuid

from django.contrib.auth.models import User

from recharge.choices import Product
from recharge.models import Batch
from recharge.services.batch_making import make_batch
from recharge.services.batch_reading import keep_upload

HEADER = "手机号,面值,快慢,备注"


def mobile(number: int) -> str:
    return f"138{number:08d}"


def sheet(*rows: str) -> bytes:
    """Return a CSV file as Chinese Excel saves it."""
    return "\r\n".join((HEADER, *rows, "")).encode("gb18030")


def good_sheet(size: int, first: int = 1) -> bytes:
    return sheet(*(f"{mobile(number)},50,快,第{number}" for number in range(first, first + size)))


def made_batch(maker: User, size: int = 3, first: int = 1) -> Batch:
    """Return a batch of so many orders for ¥ 50 each."""
    draft = keep_upload(
        content=good_sheet(size, first), file_name="list.csv", product=Product.MOBILE, uploaded_by=maker
    )
    return make_batch(draft=draft, made_by=maker, reason=f"test {uuid.uuid4()}")
