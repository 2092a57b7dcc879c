"""For Django's commands about users: what they save is told to the audit trail in the same transaction."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.signals import post_save, pre_save


@contextmanager
def told_of(tell_of: Callable[[User], None]) -> Iterator[None]:
    """Have each user told of who is saved within: both are done, or neither.

    The transaction begins with the save: the commands ask for passwords before, and nobody waits for who types.
    """
    with ExitStack() as saving:

        def begin(**signal: Any) -> None:
            saving.enter_context(transaction.atomic())

        def end(instance: User, **signal: Any) -> None:
            tell_of(instance)
            saving.close()

        pre_save.connect(begin, sender=User)
        post_save.connect(end, sender=User)
        try:
            yield
        finally:
            pre_save.disconnect(begin, sender=User)
            post_save.disconnect(end, sender=User)
