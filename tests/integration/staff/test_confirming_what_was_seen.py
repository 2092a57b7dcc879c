"""What a second administrator confirms is what the page showed: whom it is about, and who may sign in as they."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.test import Client

from portal.accounts.services import reset_factors
from recharge.choices import AccountChangeKind, PortalEventKind
from recharge.core.errors import NotYours, Outdated
from recharge.core.events import record_of_portal
from recharge.models import AccountChange, PortalEvent
from recharge.staff.services import changes
from recharge.staff.services.powers import Raise
from tests.administrators import (
    NEW,
    asked,
    browser,
    confirm,
    days_pass,
    edit,
    group,
    newcomer,
    rights,
    save_group,
    second,
    set_password,
    state,
    waiting,
)
from tests.known import known
from tests.pages import Page, hidden_fields
from tests.people import app_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
OWN = "known-to-nobody-else"


def page_of(change: AccountChange) -> str:
    return browser(second()).get(f"/accounts/changes/{change.pk}/").content.decode()


def was_set(user: User, *, by: User) -> None:
    """Write down that somebody set a password, and that the user was made to change it at the next sign-in."""
    record_of_portal(PortalEventKind.PASSWORD_SET, actor=by, about=user)
    record_of_portal(PortalEventKind.PASSWORD_CHANGED, actor=user, about=user)


class Opened:
    """The page of a change as a second administrator has it open, to be sent later."""

    def __init__(self, change: AccountChange) -> None:
        self.client, self.address = browser(second()), f"/accounts/changes/{change.pk}/"
        self.said = hidden_fields(self.client.get(self.address))

    def send(self) -> Page:
        return self.client.post(self.address, {**self.said, "decision": "approve", "reason": "见过面"}, follow=True)


@pytest.fixture
def helpers() -> Group:
    return Group.objects.create(name="Helpers")


@pytest.fixture
def rights_of_helpers(administrator: Client, helpers: Group) -> AccountChange:
    save_group(administrator, helpers, "approve_order", "change_user", reason="帮忙")
    return waiting()


class TestGroups:
    def test_who_joins_after_it_was_shown_gets_no_power(self, rights_of_helpers: AccountChange, helpers: Group) -> None:
        opened = Opened(rights_of_helpers)
        newcomer("Helpers")
        opened.send()
        assert (rights(helpers), waiting()) == (set(), rights_of_helpers)

    def test_who_leaves_is_noticed_too(self, rights_of_helpers: AccountChange, helpers: Group) -> None:
        user, opened = newcomer("Helpers"), Opened(rights_of_helpers)
        opened = Opened(rights_of_helpers)
        user.groups.clear()
        opened.send()
        assert rights(helpers) == set()

    def test_joining_waits_while_rights_of_the_group_wait(
        self, administrator: Client, rights_of_helpers: AccountChange
    ) -> None:
        edit(administrator, newcomer(), "Helpers")
        assert state(User.objects.get(username="wang"))[0] == set()
        edit(administrator, newcomer(), "Helpers", reason="也来帮忙")
        assert state(User.objects.get(username="wang"))[0] == set()
        assert AccountChange.objects.waiting().filter(kind=AccountChangeKind.RIGHTS).exists()

    def test_a_new_user_does_not_join_it_at_once_either(
        self, administrator: Client, helpers: Group, rights_of_helpers: AccountChange
    ) -> None:
        said = {"username": "wang", "first_name": "王", "groups": [helpers.pk], "password1": NEW, "password2": NEW}
        administrator.post("/admin/auth/user/add/", {**said, "reason": "新来的"})
        assert state(User.objects.get(username="wang"))[0] == set()

    def test_a_member_who_left_comes_back_by_two_persons_meanwhile(
        self, administrator: Client, rights_of_helpers: AccountChange
    ) -> None:
        user = newcomer("Helpers")
        User.objects.filter(pk=user.pk).update(is_active=False)
        edit(administrator, user, "Helpers", reason="回来")
        assert not state(user)[1]

    def test_joining_is_at_once_where_what_waits_gives_no_power(self, administrator: Client, helpers: Group) -> None:
        save_group(administrator, helpers, "view_batch", reason="要看批次")
        edit(administrator, newcomer(), "Helpers")
        assert state(User.objects.get(username="wang"))[0] == {"Helpers"}

    def test_joining_is_at_once_again_when_it_was_refused(
        self, administrator: Client, rights_of_helpers: AccountChange
    ) -> None:
        changes.refuse(change_id=rights_of_helpers.pk, actor=second(), words="no")
        edit(administrator, newcomer(), "Helpers")
        assert state(User.objects.get(username="wang"))[0] == {"Helpers"}

    def test_page_and_command_line_name_the_members_and_who_may_sign_in_as_they(
        self, rights_of_helpers: AccountChange, capsys: pytest.CaptureFixture[str]
    ) -> None:
        was_set(newcomer("Helpers"), by=person("administrator"))
        call_command("confirm_account_change")
        for shown in (page_of(rights_of_helpers), capsys.readouterr().out):
            assert "王小明" in shown
            assert "可能以其身份登录的人：administrator" in shown

    def test_an_empty_group_is_called_empty(self, rights_of_helpers: AccountChange) -> None:
        assert "目前没有成员" in page_of(rights_of_helpers)

    def test_the_history_names_the_members(self, rights_of_helpers: AccountChange, helpers: Group) -> None:
        newcomer("Helpers")
        confirm(rights_of_helpers, second())
        assert rights(helpers) == {"approve_order", "change_user"}
        event = PortalEvent.objects.get(kind=PortalEventKind.CHANGE_CONFIRMED)
        assert known(event.details)["members"] == ["wang"]

    def test_a_member_s_password_or_factors_wait_meanwhile(
        self, administrator: Client, rights_of_helpers: AccountChange
    ) -> None:
        user = newcomer("Helpers")
        app_of(user)
        set_password(administrator, user)
        edit(administrator, user, "Helpers", reset_factors="on")
        assert Authenticator.objects.filter(user=user).exists()
        assert not User.objects.get(pk=user.pk).check_password(NEW)

    @pytest.mark.parametrize("kind", ["PASSWORD_SET", "PASSWORD_CHANGED", "FACTORS"])
    def test_what_happens_to_a_member_s_sign_in_is_noticed(
        self, kind: str, rights_of_helpers: AccountChange, helpers: Group
    ) -> None:
        user = newcomer("Helpers")
        opened = Opened(rights_of_helpers)
        record_of_portal(PortalEventKind(kind), actor=person("administrator"), about=user)
        opened.send()
        assert rights(helpers) == set()

    def test_who_may_sign_in_as_a_member_does_not_confirm(self, rights_of_helpers: AccountChange) -> None:
        was_set(newcomer("Helpers"), by=second())
        with pytest.raises(NotYours):
            confirm(rights_of_helpers, second())
        assert waiting() == rights_of_helpers

    def test_but_what_gives_no_power_he_does(self, administrator: Client, helpers: Group) -> None:
        was_set(newcomer("Helpers"), by=second())
        save_group(administrator, helpers, "view_batch", reason="要看批次")
        confirm(waiting(), second())
        assert rights(helpers) == {"view_batch"}


class TestPeople:
    def test_password_and_factors_wait_while_more_rights_wait(self, administrator: Client) -> None:
        carol = newcomer("Operators")
        carol.set_password(OWN)
        carol.save()
        app_of(carol)
        asked(user=carol)
        set_password(administrator, carol)
        edit(administrator, carol, "Operators", reset_factors="on")
        assert User.objects.get(pk=carol.pk).check_password(OWN)
        assert Authenticator.objects.filter(user=carol).exists()
        set_password(administrator, carol, reason="忘记密码")
        edit(administrator, carol, "Operators", reset_factors="on", reason="手机丢了")
        kinds = set(AccountChange.objects.waiting().values_list("kind", flat=True))
        assert kinds == {"RIGHTS", "PASSWORD", "FACTORS"}

    @pytest.mark.parametrize("kind", ["PASSWORD_SET", "PASSWORD_CHANGED", "FACTORS"])
    def test_what_happens_to_the_sign_in_after_it_was_shown_is_noticed(self, kind: str) -> None:
        change = asked()
        opened = Opened(change)
        record_of_portal(PortalEventKind(kind), actor=person("administrator"), about=newcomer())
        opened.send()
        assert (waiting(), state(newcomer())[0]) == (change, set())

    def test_who_set_the_password_does_not_confirm_even_after_it_was_changed(self) -> None:
        change = asked()
        was_set(newcomer(), by=second())
        with pytest.raises(NotYours):
            confirm(change, second())
        assert (waiting(), state(newcomer())[0]) == (change, set())

    def test_who_took_the_factors_away_does_not_confirm(self) -> None:
        change = asked()
        reset_factors(newcomer(), actor=second())
        with pytest.raises(NotYours):
            confirm(change, second())
        assert waiting() == change

    def test_the_servers_owner_does(self) -> None:
        change = asked()
        was_set(newcomer(), by=second())
        confirm(change, None)
        assert state(newcomer_as_is())[0] == {"Approvers"}

    def test_the_page_warns_of_who_set_the_password_even_after_it_was_changed(self) -> None:
        change = asked()
        assert "data-knows-password" not in page_of(change)
        was_set(newcomer(), by=person("administrator"))
        assert "data-knows-password" in page_of(change)

    def test_after_thirty_days_nobody_is_warned_of_or_kept_from_it(self) -> None:
        was_set(newcomer(), by=second())
        days_pass(31)
        change = asked()
        assert "data-knows-password" not in page_of(change)
        confirm(change, second())
        assert state(newcomer_as_is())[0] == {"Approvers"}

    def test_a_password_that_was_never_changed_is_known_for_longer(self) -> None:
        record_of_portal(PortalEventKind.PASSWORD_SET, actor=second(), about=newcomer())
        days_pass(31)
        change = asked()
        with pytest.raises(NotYours):
            confirm(change, second())


class TestWhoSomebodyIs:
    def gone(self, *groups: str, **news: bool) -> AccountChange:
        user = newcomer(*groups)
        User.objects.filter(pk=user.pk).update(is_active=False, **news)
        actor = User.objects.create_superuser("owner")
        return changes.ask_for_rights(user=user, more=Raise(flags=("is_active",)), reason="回来上班", actor=actor)

    def test_page_and_command_line_say_what_he_is_already(self, capsys: pytest.CaptureFixture[str]) -> None:
        change = self.gone("Approvers", "Administrators")
        call_command("confirm_account_change")
        for shown in (page_of(change), capsys.readouterr().out):
            for word in ("审批员", "管理员", "可以审批他人的订单"):
                assert word in shown, word

    def test_a_superuser_is_called_one(self) -> None:
        assert "拥有全部权限" in page_of(self.gone(is_superuser=True))

    def test_who_has_nothing_is_said_to_have_nothing(self) -> None:
        assert "不属于任何用户组，也没有审批或管理权限" in page_of(asked())

    @pytest.mark.parametrize("meanwhile", ["group", "right", "group's right", "superuser"])
    def test_what_he_became_meanwhile_is_noticed(self, meanwhile: str) -> None:
        change = self.gone("Operators")
        seen, right = changes.seen(change), Permission.objects.get(codename="teach_reading")
        if meanwhile == "group":
            newcomer_as_is().groups.add(group("Auditors"))
        elif meanwhile == "right":
            newcomer_as_is().user_permissions.add(right)
        elif meanwhile == "group's right":
            group("Operators").permissions.add(right)
        else:
            User.objects.filter(username="wang").update(is_superuser=True)
        with pytest.raises(Outdated):
            changes.confirm(change_id=change.pk, was_seen=seen, actor=second())
        assert not newcomer_as_is().is_active


def newcomer_as_is() -> User:
    return User.objects.get(username="wang")
