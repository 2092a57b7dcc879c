"""Sheets as people upload them."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from recharge.choices import Product
from recharge.models import Batch, BatchDraft
from recharge.services import batch_making, batch_reading


def sheet(lines: Iterable[str], header: str = "手机号,面值") -> bytes:
    return "\n".join([header, *lines]).encode()


def upload(user: User, lines: Iterable[str], **options: str) -> BatchDraft:
    content = sheet(lines, **options)
    return batch_reading.keep_upload(content=content, file_name="sheet.csv", product=Product.MOBILE, uploaded_by=user)


def batch_of(user: User, size: int, first: int = 0) -> Batch:
    """Make a batch of so many orders for ¥ 50 each, of numbers that count up."""
    draft = upload(user, (f"138{first + number:08d},50" for number in range(size)))
    return batch_making.make_batch(draft=draft, made_by=user)
