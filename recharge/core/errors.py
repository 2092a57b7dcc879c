"""What a service may refuse. Each message is meant for the person who asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from recharge.models import Order


class ServiceError(Exception):
    """A request that was refused; nothing has changed."""


def why_not(check: Callable[[], object]) -> str:
    """Return in what words a service would refuse something now, for a page that says so beforehand; "" if it wouldn't.

    Args:
        check: what the service itself asks before it does it; it changes nothing.
    """
    try:
        check()
    except ServiceError as error:
        return str(error)
    return ""


class NotConfigured(ServiceError):
    def __init__(self) -> None:
        super().__init__(_("The platform's credentials are not set: orders can't be placed yet."))


class InvalidOrder(ServiceError):
    """A value that no order may have. `field` names it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class DuplicateOrder(ServiceError):
    """The same target and value not long ago; a reason makes it go through."""

    def __init__(self, earlier: Order) -> None:
        super().__init__(_("The same order was placed before and may have been paid for."))
        self.earlier = earlier


class DoubtfulNumber(ServiceError):
    """A rule, or what the platform said, asks for a second look at the number.

    Confirming just that, by its key, makes it go through.
    """

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class FormAlreadyUsed(ServiceError):
    """The form's nonce belongs to an order with other contents."""

    def __init__(self, order: Order) -> None:
        super().__init__(_("This form has made order %(number)s already.") % {"number": order.order_no})
        self.order = order


class NotReplaceable(ServiceError):
    """The order to be replaced isn't proven dead, or has been replaced."""


class TooLate(ServiceError):
    """The order, the batch or the emergency stop isn't in a state in which this can be done (any more)."""


class Outdated(TooLate):
    """What the person was shown, and decided about, holds no more."""

    def __init__(self) -> None:
        super().__init__(
            _("Something has changed since this page was opened. Check again, and confirm if it is still right.")
        )


class LimitReached(ServiceError):
    """A limit of the day's spending would be passed."""


class NotYours(ServiceError):
    """What one made oneself, another person has to approve."""


class MoreThanShown(ServiceError):
    """A batch that is being made would come to more than the person was shown who began it."""

    def __init__(self) -> None:
        super().__init__(_("It came to more orders, or to more money, than was shown when it was begun."))


class BadLines(ServiceError):
    """Some lines of a sheet can't be placed."""


class StillReading(ServiceError):
    """A list isn't judged to its end."""

    def __init__(self) -> None:
        super().__init__(_("The list is still being checked."))


class ReasonNeeded(ServiceError):
    """Something looks suspicious; a reason makes it go through."""


class NotSavable(ServiceError):
    """A view of a list that can't be kept as it is."""


class NothingToPlace(ServiceError):
    """No order would come of it."""
