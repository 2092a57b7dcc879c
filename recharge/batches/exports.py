"""What became of every line of a batch, as rows of a sheet."""

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from recharge.batches.services.preview import shown_target, shown_text
from recharge.batches.services.skipped_lines import SkippedLine, skipped_lines_of
from recharge.core.masking import may_see
from recharge.models import Batch, Order
from recharge.orders.exports import header, rows


def rows_of_batch(batch: Batch, viewer: User) -> Iterator[list[object]]:
    """Yield what became of every line of a batch's sheet: its orders, then the lines that none was made of."""
    yield from rows(Order.objects.filter(batch=batch), viewer)
    whole = may_see(Order(placed_by=batch.made_by), viewer)
    for line in skipped_lines_of(batch):
        yield _row_left_out(batch, line, whole=whole)


def _row_left_out(batch: Batch, line: SkippedLine, *, whole: bool) -> list[object]:
    """Return the row of a line in the columns of `header`; of what it says, no more than may be seen."""
    known = {
        _("Batch"): batch.pk,
        _("Line"): line.line,
        _("Product"): batch.get_product_display(),
        _("Phone or card"): shown_target(line.cells, whole=whole),
        _("Face value"): line.cells["face_value"],
        _("Speed"): line.cells["speed"],
        _("State"): _("Left out: %(problem)s") % {"problem": line.problem},
        _("Note"): shown_text(line.cells["note"], line.cells) if whole else "",
    }
    return [known.get(title) for title in header()]
