"""Batches for tests, made as people make them: of a sheet."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from recharge.choices import Product
from recharge.models import Batch, BatchDraft
from recharge.services.batch_making import make_batch
from recharge.services.batch_reading import keep_upload

HEADER = "手机号,面值"


def sheet(lines: Iterable[str], header: str = HEADER) -> bytes:
    return "\n".join((header, *lines)).encode()


def upload(uploaded_by: User, lines: Iterable[str], header: str = HEADER) -> BatchDraft:
    """Upload some lines of CSV, e.g. `13800138000,50`."""
    content = sheet(lines, header)
    return keep_upload(content=content, file_name="list.csv", product=Product.MOBILE, uploaded_by=uploaded_by)


def batch_of(*lines: str, made_by: User, header: str = HEADER, reason: str = "") -> Batch:
    """Make a batch of some lines of CSV."""
    return make_batch(draft=upload(made_by, lines, header), made_by=made_by, reason=reason)


def mobiles(count: int, face_value: int = 50, first: int = 0) -> list[str]:
    """Return so many lines, each with a number of its own."""
    return [f"138{first + number:08},{face_value}" for number in range(count)]
