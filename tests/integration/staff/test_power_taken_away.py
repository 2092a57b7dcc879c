"""Taking power away needs one person; whose power was taken is guarded for a week like somebody who has it."""

from collections.abc import Callable

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Permission, User
from django.test import Client

from recharge.choices import AccountChangeKind, PortalEventKind
from recharge.models import AccountChange, PortalEvent
from recharge.staff.services import powers
from tests.administrators import NEW, days_pass, edit, group, newcomer, rights, save_group, set_password, state
from tests.known import known
from tests.people import app_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
OWN = "known-to-nobody-else"
ASKED = {AccountChangeKind.PASSWORD, AccountChangeKind.FACTORS}


@pytest.fixture
def bob() -> User:
    user = newcomer("Approvers")
    user.set_password(OWN)
    user.save()
    app_of(user)
    return user


def out_of_the_group(administrator: Client, bob: User) -> None:
    edit(administrator, bob, "Operators")
    assert state(bob)[0] == {"Operators"}


def from_the_group(administrator: Client, bob: User) -> None:
    save_group(administrator, group("Approvers"), "view_order")
    assert rights(group("Approvers")) == {"view_order"}


def from_the_group_and_then_out_of_it(administrator: Client, bob: User) -> None:
    from_the_group(administrator, bob)
    out_of_the_group(administrator, bob)


def with_the_group(administrator: Client, bob: User) -> None:
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner"))
    owner.post(f"/admin/auth/group/{group('Approvers').pk}/delete/", {"post": "yes"})
    assert state(bob)[0] == set()


def single_right(administrator: Client, bob: User) -> None:
    bob.groups.clear()
    bob.user_permissions.add(Permission.objects.get(codename="teach_reading"))
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner"))
    edit(owner, bob)
    assert not powers.is_powerful(User.objects.get(pk=bob.pk))


def superuser(administrator: Client, bob: User) -> None:
    bob.groups.clear()
    User.objects.filter(pk=bob.pk).update(is_superuser=True)
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner"))
    edit(owner, bob)
    assert not state(bob)[3]


TAKEN = [
    out_of_the_group,
    from_the_group,
    from_the_group_and_then_out_of_it,
    with_the_group,
    single_right,
    superuser,
]


def takes_over(client: Client, user: User, **news: str) -> None:
    """Set a password and take the factors away, as one does on the pages."""
    groups = sorted(state(user)[0])
    set_password(client, user, **news)
    edit(client, user, *groups, reset_factors="on", **news)


def is_untouched(user: User) -> bool:
    user.refresh_from_db()
    return user.check_password(OWN) and Authenticator.objects.filter(user=user).exists()


@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__)
def test_password_and_factors_wait_for_a_week(
    take: Callable[[Client, User], None], administrator: Client, bob: User
) -> None:
    take(administrator, bob)
    days_pass(6.9)
    takes_over(administrator, bob)
    assert is_untouched(bob), "without a reason nothing is even asked for"
    takes_over(administrator, bob, reason="x")
    assert is_untouched(bob)
    assert set(AccountChange.objects.waiting().values_list("kind", flat=True)) == ASKED


@pytest.mark.parametrize("take", TAKEN, ids=lambda take: take.__name__)
def test_then_they_are_those_of_anybody(take: Callable[[Client, User], None], administrator: Client, bob: User) -> None:
    take(administrator, bob)
    days_pass(7.1)
    takes_over(administrator, bob)
    bob.refresh_from_db()
    assert bob.check_password(NEW)
    assert not Authenticator.objects.filter(user=bob).exists()
    assert not AccountChange.objects.exists()


def test_power_and_factors_don_t_go_in_one_step(administrator: Client, bob: User) -> None:
    edit(administrator, bob, "Operators", reset_factors="on", reason="x")
    assert state(bob)[0] == {"Operators"}
    assert is_untouched(bob)
    assert AccountChange.objects.get().kind == AccountChangeKind.FACTORS


def test_who_only_changed_from_clerk_to_auditor_had_no_power(administrator: Client) -> None:
    user = newcomer("Operators")
    edit(administrator, user, "Auditors")
    takes_over(administrator, user)
    user.refresh_from_db()
    assert user.check_password(NEW)


def test_a_group_that_loses_rights_of_everyday_work_guards_nobody(administrator: Client) -> None:
    user = newcomer("Operators")
    save_group(administrator, group("Operators"), "view_order")
    takes_over(administrator, user)
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert not PortalEvent.objects.filter(kind=PortalEventKind.USER_CHANGED).exists()


def test_who_keeps_the_right_by_another_group_has_lost_nothing(administrator: Client, bob: User) -> None:
    bob.groups.add(group("Administrators"))
    save_group(administrator, group("Approvers"), "view_order")
    assert rights(group("Approvers")) == {"view_order"}
    assert not PortalEvent.objects.filter(kind=PortalEventKind.USER_CHANGED).exists()


def test_the_history_says_at_each_member_what_was_taken(administrator: Client, bob: User) -> None:
    from_the_group(administrator, bob)
    event = PortalEvent.objects.get(kind=PortalEventKind.USER_CHANGED)
    before, after = known(event.details)["rights"]
    assert (event.about, after) == (f"user:{bob.pk}", [])
    assert "recharge.approve_order" in before
    auditor_page = administrator.get("/audit/").content.decode()
    assert "可以审批他人的订单" in auditor_page
