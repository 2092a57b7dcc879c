"""`manage.py demo`: a login for each role, and some dozens of invented orders to look at."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Sum

from oilcards.demo import cards
from oilcards.models import OilCard
from portal import platform
from recharge.batches.services.making import make_batch
from recharge.batches.services.uploading import keep_upload
from recharge.choices import Product
from recharge.demo import batch_of_this_morning, stories
from recharge.limits.services.approval import needs_approval
from recharge.models import Mark, Order, OrderEvent

LOGINS = (
    ("operator", "操作员", "Operators"),
    ("approver", "审批员", "Approvers"),
    ("auditor", "审计员", "Auditors"),
    ("admin", "管理员", "Administrators"),
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Command(BaseCommand):
    help = "Add a login for each role and invented orders of the last 14 days. Only for trying out; may run twice."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The passwords are known to everybody: refused while DEBUG is off.")
        if platform.is_configured() and urlsplit(settings.WIKEYUN_BASE_URL).hostname not in LOOPBACK:
            raise CommandError(
                "Refused: WIKEYUN_BASE_URL is the real platform, and people try things out with demo data."
            )
        with transaction.atomic():
            users = [_login(*login) for login in LOGINS]
        book = cards(users[0])  # adds cards at the platform, which no transaction may enclose
        with transaction.atomic():
            added = _add_orders(users[0], book[0])
        if added:
            _upload_a_list(users[0])
        self.stdout.write(f"{added} orders added." if added else "There are orders already: none added.")
        for username, name, group in LOGINS:
            self.stdout.write(f"  {name}  user {username:<9} password {_password(username):<15} ({group})")


def _login(username: str, name: str, group: str) -> User:
    user, new = User.objects.get_or_create(
        username=username, defaults={"first_name": name, "is_staff": group == "Administrators"}
    )
    if new:
        user.set_password(_password(username))
        user.save()
        user.groups.add(Group.objects.get(name=group))
    return user


def _password(username: str) -> str:
    return f"{username}-demo"


def _add_orders(clerk: User, card: OilCard) -> int:
    """Fill an empty list only: ids must rise with the moments of placing, and these lie in the past."""
    if Order.objects.exists():
        return 0
    batch = batch_of_this_morning(clerk)
    told = list(stories(clerk, card, batch))
    Order.objects.bulk_create([story.order for story in told])
    OrderEvent.objects.bulk_create([event for story in told for event in story.events])
    Mark.objects.bulk_create([mark for story in told for mark in story.marks])
    batch.total = batch.orders.aggregate(total=Sum("face_value"))["total"]
    batch.save(update_fields=["total"])
    return len(told)


def _upload_a_list(clerk: User) -> None:
    """Leave a real batch to be approved; where nobody has to approve it, it would be on its way at once."""
    lines = [f"1380000{9100 + number},200,,第{number}组" for number in range(1, 10)]
    total = 200 * len(lines)
    if platform.is_configured() and needs_approval(total):
        content = "\n".join(["手机号,面值,快慢,备注", *lines, "1380000,200,,号码不全"]).encode()
        draft = keep_upload(content=content, file_name="员工话费.csv", product=Product.MOBILE, uploaded_by=clerk)
        make_batch(draft=draft, made_by=clerk, leave_out_bad=True)
