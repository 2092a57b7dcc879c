"""Batches for tests, made as people make them: of a sheet."""

from django.contrib.auth.models import User

from recharge.choices import Product
from recharge.models import Batch
from recharge.services.batch_making import make_batch
from recharge.services.batch_reading import keep_upload

HEADER = "手机号,面值"


def batch_of(*lines: str, made_by: User, header: str = HEADER, reason: str = "") -> Batch:
    """Make a batch of some lines of CSV, e.g. `13800138000,50`."""
    content = "\n".join((header, *lines)).encode()
    draft = keep_upload(content=content, file_name="list.csv", product=Product.MOBILE, uploaded_by=made_by)
    return make_batch(draft=draft, made_by=made_by, reason=reason)


def mobiles(count: int, face_value: int = 50) -> list[str]:
    """Return so many lines, each with a number of its own."""
    return [f"1380013{number:04},{face_value}" for number in range(count)]
