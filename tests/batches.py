"""Lists as people make them, and batches that were made of them."""

from collections.abc import Iterable

from django.contrib.auth.models import User

from recharge.batches.services import assembling
from recharge.batches.services.making import make_batch
from recharge.batches.services.uploading import keep_upload
from recharge.choices import BatchState, Product
from recharge.models import Batch, BatchDraft

HEADER = "手机号,面值,快慢,备注"


def mobile(number: int) -> str:
    return f"138{number:08d}"


def mobiles(count: int, face_value: int = 50, first: int = 1) -> list[str]:
    """Return so many lines, each with a number of its own."""
    return [f"{mobile(number)},{face_value}" for number in range(first, first + count)]


def sheet(*lines: str, header: str = HEADER) -> bytes:
    """Return a CSV file as Chinese Excel saves it; a line may lack cells at its end."""
    return "\r\n".join((header, *lines, "")).encode("gb18030")


def upload(uploaded_by: User, lines: Iterable[str], header: str = HEADER) -> BatchDraft:
    """Upload some lines, e.g. `13800138000,50`."""
    content = sheet(*lines, header=header)
    return keep_upload(content=content, file_name="list.csv", product=Product.MOBILE, uploaded_by=uploaded_by)


def assembled(batch: Batch) -> Batch:
    """Do what a worker does for a batch that is too large to be made at once."""
    if batch.state == BatchState.MAKING:
        assembling.assemble_waiting()
        batch.refresh_from_db()
    return batch


def batch_of(*lines: str, made_by: User, header: str = HEADER, reason: str = "") -> Batch:
    """Make a batch of some lines."""
    return assembled(make_batch(draft=upload(made_by, lines, header), made_by=made_by, reason=reason))
