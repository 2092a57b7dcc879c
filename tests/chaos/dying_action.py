"""A real process that kills itself with SIGKILL at a given point of one action with an oil card.

python -m tests.chaos.dying_action POINT ACTION CARD_ID USER_ID
"""

import sys
from types import SimpleNamespace
from typing import Any
from unittest import mock

import django

from .dying_worker import die, then_die

POINTS = ["before_begin", "in_begin", "before_send", "after_send", "in_record", "after_record"]


def main(point: str, action: str, card_id: int, user_id: int) -> None:
    django.setup()
    from django.contrib.auth.models import User

    from oilcards.models import OilCard, OilCardEvent
    from oilcards.services import adding, changing, deleting, events, sync
    from tests.fake_card_platform import PHONE, details

    def die_at_event(number: int) -> None:
        """The row is changed, the transaction is not committed."""
        create = OilCardEvent.objects.create
        created: list[int] = []

        def counted(**fields: Any) -> Any:
            created.append(1)
            return die() if len(created) == number else create(**fields)

        stand_in = SimpleNamespace(objects=SimpleNamespace(create=counted))
        mock.patch.object(events, "OilCardEvent", stand_in).start()

    if point == "before_begin":
        sync.require_platform = die
    elif point == "in_begin":
        die_at_event(1)
    elif point == "before_send":
        sync.exchange = die
    elif point == "after_send":
        sync.exchange = then_die(sync.exchange)
    elif point == "in_record":
        die_at_event(2)

    actor = User.objects.get(pk=user_id)
    if action == "add":
        adding.add_card(details=details(), actor=actor)
    elif action == "edit":
        version = OilCard.objects.get(pk=card_id).version
        changed = details(holder_phone=PHONE[:-1] + "0")
        changing.edit_card(card_id=card_id, details=changed, version=version, actor=actor)
    else:
        deleting.delete_card(card_id=card_id, actor=actor)
    if point == "after_record":
        die()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
