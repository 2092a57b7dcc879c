"""One of each of what the demo has none of, for the pages about it: `python -m tests.e2e.one_of_each`."""

import os
import uuid

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")


def add() -> None:
    """Write all of it; the channel is switched off, since it leads to a messenger."""
    from django.contrib.auth.models import Group, User

    from recharge.alerts.services import channels, ringing
    from recharge.choices import AlertKind, EventKind, RefusalMeaning, Verdict
    from recharge.limits.services import accounts
    from recharge.models import AlertChannel, Order, OrderEvent, PlatformCheck, SavedView
    from recharge.refunds.services import claiming
    from recharge.refunds.services.owing import owing
    from recharge.staff.services import changes
    from recharge.staff.services.powers import Raise
    from recharge.teaching.services import lessons

    administrator = User.objects.get(username="admin")
    numbers = owing().values_list("order_no", flat=True)[:2]
    fit = claiming.choose(list(numbers), again=True).fit  # another test may have claimed all
    claiming.claim(actor=administrator, seen=[claiming.as_seen(order) for order in fit], nonce=uuid.uuid4())
    ringing.ring(AlertKind.WRONG_PASSWORDS, "operator")
    channel = channels.add(name="值班群", address="wecombot://one-of-each/", actor=administrator)
    AlertChannel.objects.filter(pk=channel.pk).update(on=False)
    more = Raise(groups=(Group.objects.get(name="Approvers"),))
    changes.ask_for_rights(user=User.objects.get(username="auditor"), more=more, reason="值夜班", actor=administrator)
    SavedView.objects.create(owner=administrator, page="orders", name="失败的", query={"status": ["3"]})
    order = Order.objects.filter(gateway_order_no__isnull=False).latest("pk")
    OrderEvent.objects.create(order=order, kind=EventKind.CALLBACK, verdict=Verdict.UNKNOWN_CODE, reported_status=98)
    asked = {"meaning": RefusalMeaning.NO_SUCH_ORDER.value, "reason": "供应商说的"}
    lessons.propose(code=None, words="此单不在册", refusal_code="", actor=administrator, **asked)
    strange = {"step": "no_such_order", "result": "warning", "cause": "WORDS_STRANGE", "raw": "", "facts": {}}
    found = [{**strange, "facts": {"words": "单子没找着", "words_code": "7", "words_key": "单子没找着"}}]
    PlatformCheck.objects.update_or_create(account=accounts.current(), defaults={"findings": found})


if __name__ == "__main__":
    django.setup()
    add()
