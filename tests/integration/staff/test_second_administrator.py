"""Who manages users can't make a second self: what gives power waits until a second administrator has confirmed it."""

import datetime as dt

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client

from recharge.alerts.services import watching
from recharge.choices import AccountChangeKind, AccountChangeOutcome, AlertKind, PortalEventKind
from recharge.core.errors import NotYours, Outdated, TooLate
from recharge.core.events import record_of_portal
from recharge.models import AccountChange, Alert, PortalEvent
from recharge.models.portal_wide.account_changes import WAITS_FOR
from recharge.operations.services import sweeping
from recharge.staff.services import changes, powers
from recharge.staff.services.powers import Raise
from tests.administrators import (
    NEW,
    PASSWORD,
    asked,
    browser,
    confirm,
    days_pass,
    decide,
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
from tests.pages import hidden_fields
from tests.people import app_of, person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
DONE = AccountChangeOutcome


class TestTwoAdministratorsMakeAThird:
    def test_a_new_member_is_one_once_a_second_administrator_has_confirmed(self, administrator: Client) -> None:
        user = newcomer("Operators")
        page = edit(administrator, user, "Operators", "Administrators", is_staff="on", reason="新来的主管")
        assert "尚未生效" in page.content.decode()
        assert state(user) == ({"Operators"}, True, False, False, set())
        change = waiting()
        assert (change.user, change.asked_by, change.reason) == (user, person("administrator"), "新来的主管")
        shown = browser(second()).get(f"/accounts/changes/{change.pk}/").content.decode()
        assert "管理员" in shown
        assert "新来的主管" in shown
        assert "王小明" in shown
        decide(second(), change)
        assert state(user) == ({"Operators", "Administrators"}, True, True, False, set())
        change.refresh_from_db()
        assert (change.outcome, change.decided_by) == (DONE.CONFIRMED, second())
        event = PortalEvent.objects.get(kind=PortalEventKind.CHANGE_CONFIRMED)
        assert (event.actor, event.about) == (second(), f"user:{user.pk}")
        assert known(event.details)["groups"] == ["Administrators"]

    def test_a_new_user_is_made_without_power_and_the_page_says_so(self, administrator: Client) -> None:
        chosen = [group("Approvers").pk, group("Operators").pk]
        said = {"username": "wang", "first_name": "王", "groups": chosen, "password1": NEW, "password2": NEW}
        refused = administrator.post("/admin/auth/user/add/", said)
        assert refused.status_code == 200
        assert "请填写原因" in refused.content.decode()
        assert not User.objects.filter(username="wang").exists()
        page = administrator.post("/admin/auth/user/add/", {**said, "reason": "新审批员"}, follow=True)
        assert "尚未生效" in page.content.decode()
        assert state(User.objects.get(username="wang"))[0] == {"Operators"}
        shown = browser(second()).get(f"/accounts/changes/{waiting().pk}/").content.decode()
        assert "data-knows-password" in shown, "the second administrator reads who knows the password"
        decide(second(), waiting())
        assert state(User.objects.get(username="wang"))[0] == {"Operators", "Approvers"}

    def test_nobody_confirms_what_he_asked_for_or_what_is_about_him(self, administrator: Client) -> None:
        change = asked()
        decide(person("administrator"), change)
        assert AccountChange.objects.get().outcome != DONE.CONFIRMED
        assert state(newcomer())[0] == set()

    def test_own_wish_is_withdrawn_by_the_same_page(self, administrator: Client) -> None:
        change = asked()
        decide(person("administrator"), change, "reject", "anders")
        change.refresh_from_db()
        assert (change.outcome, state(newcomer())[0]) == (DONE.WITHDRAWN, set())

    def test_who_withdraws_is_not_told_of_rejections(self, administrator: Client) -> None:
        change = asked()
        for page in (
            administrator.get(f"/accounts/changes/{change.pk}/"),
            decide(person("administrator"), change, "reject", ""),
        ):
            assert "驳回" not in page.content.decode()
        change.refresh_from_db()
        assert not change.outcome

    def test_refused_nothing_changes(self, administrator: Client) -> None:
        change = asked()
        decide(second(), change, "reject", "不认识")
        change.refresh_from_db()
        assert (change.outcome, change.words, state(newcomer())[0]) == (DONE.REFUSED, "不认识", set())
        with pytest.raises(TooLate):
            confirm(change, second())

    def test_services_hold_four_eyes_too(self) -> None:
        change = asked(user=second())
        for actor in (person("administrator"), second()):
            with pytest.raises(NotYours):
                confirm(change, actor)
        for name in ("clerk", "approver", "auditor", "outsider"):
            with pytest.raises(NotYours):
                confirm(change, person(name))
        assert AccountChange.objects.get().outcome == ""

    def test_the_database_holds_four_eyes(self) -> None:
        change = asked(user=second())
        for actor in (person("administrator"), second()):
            with pytest.raises(IntegrityError), transaction.atomic():
                AccountChange.objects.update(outcome=DONE.CONFIRMED, decided_by=actor, decided_at=F("asked_at"))
        with pytest.raises(IntegrityError), transaction.atomic():
            AccountChange.objects.update(
                outcome=DONE.REFUSED, decided_by=second(), decided_at=F("asked_at"), password="x"
            )
        change.refresh_from_db()
        assert change.outcome == ""

    def test_a_stale_password_is_asked_for_again(self, administrator: Client) -> None:
        change = asked()
        client = browser(second())
        session = client.session
        session["password_typed_at"] = 0
        session.save()
        address = f"/accounts/changes/{change.pk}/"
        said = {**hidden_fields(client.get(address)), "decision": "approve"}
        assert client.post(address, {**said, "password": "wrong"}).status_code == 200
        assert waiting() == change
        assert client.post(address, {**said, "password": PASSWORD}).status_code == 302
        assert AccountChange.objects.get().outcome == DONE.CONFIRMED


class TestWhatWaits:
    @pytest.mark.parametrize("name", ["Operators", "Auditors"])
    def test_groups_of_everyday_work_take_effect_at_once(self, administrator: Client, name: str) -> None:
        edit(administrator, newcomer(), name)
        assert (state(newcomer(name))[0], AccountChange.objects.exists()) == ({name}, False)
        event = PortalEvent.objects.get(kind=PortalEventKind.USER_CHANGED)
        assert known(event.details)["groups"] == [[], [name]]

    @pytest.mark.parametrize("name", ["Approvers", "Administrators"])
    def test_groups_with_power_wait(self, administrator: Client, name: str) -> None:
        edit(administrator, newcomer(), name, reason="x")
        assert (state(User.objects.get(username="wang"))[0], waiting().kind) == (set(), AccountChangeKind.RIGHTS)

    def test_a_group_of_one_s_own_making_with_power_waits_like_them(self, administrator: Client) -> None:
        own = Group.objects.create(name="Harmless")
        own.permissions.add(Permission.objects.get(codename="teach_reading"))
        edit(administrator, newcomer(), "Harmless", reason="x")
        assert state(User.objects.get(username="wang"))[0] == set()
        assert waiting()

    def test_power_is_taken_at_once(self, administrator: Client) -> None:
        edit(administrator, newcomer("Approvers", "Operators"), "Operators")
        assert state(User.objects.get(username="wang"))[0] == {"Operators"}
        assert not AccountChange.objects.exists()

    def test_one_s_own_rights_wait_too(self, administrator: Client) -> None:
        me = person("administrator")
        edit(administrator, me, "Administrators", "Approvers", is_staff="on", reason="x")
        assert state(me)[0] == {"Administrators"}
        with pytest.raises(NotYours):
            confirm(waiting(), me)

    def test_whoever_left_with_power_comes_back_by_two_persons(self, administrator: Client) -> None:
        user = newcomer("Approvers")
        edit(administrator, user, "Approvers", is_active="")
        assert not state(user)[1], "going takes effect at once"
        edit(administrator, user, "Approvers", reason="回来上班")
        assert not state(user)[1]
        decide(second(), waiting())
        assert state(user)[1]

    def test_whoever_left_without_power_comes_back_at_once(self, administrator: Client) -> None:
        user = newcomer("Operators")
        edit(administrator, user, "Operators", is_active="")
        edit(administrator, user, "Operators")
        assert state(user)[1]
        assert not AccountChange.objects.exists()

    def test_the_administration_opens_for_the_powerful_by_two_persons(self, administrator: Client) -> None:
        edit(administrator, newcomer("Approvers"), "Approvers", is_staff="on", reason="x")
        assert not state(User.objects.get(username="wang"))[2]
        assert waiting().wanted["flags"] == ["is_staff"]

    def test_single_rights_and_everything_wait_for_whom_a_superuser_gives_them(self, owner: Client) -> None:
        right = Permission.objects.get(codename="view_order")
        edit(owner, newcomer(), is_superuser="on", user_permissions=[right.pk], reason="x")
        assert state(newcomer()) == (set(), True, False, False, set())
        decide(second(), waiting())
        assert state(newcomer())[3:] == (True, {"view_order"})

    def test_an_administrator_can_t_even_ask_for_a_superuser(self, administrator: Client) -> None:
        right = Permission.objects.get(codename="teach_reading")
        edit(administrator, newcomer(), is_superuser="on", user_permissions=[right.pk], reason="x")
        assert state(newcomer())[3:] == (False, set())
        assert not AccountChange.objects.exists()

    def test_a_reason_is_needed_and_nothing_is_saved_without(self, administrator: Client) -> None:
        page = edit(administrator, newcomer("Operators"), "Operators", "Approvers", first_name="改名")
        assert "请填写原因" in page.content.decode()
        assert not AccountChange.objects.exists()
        assert User.objects.get(username="wang").first_name == "王小明"

    def test_the_same_is_asked_for_once_at_a_time(self, administrator: Client) -> None:
        change = asked()
        page = edit(administrator, newcomer(), "Administrators", reason="x")
        assert "已有相同的申请" in page.content.decode()
        with pytest.raises(TooLate):
            asked(to="Administrators")
        assert waiting() == change

    def test_the_log_of_the_administration_doesn_t_say_that_it_was_done(self, administrator: Client) -> None:
        edit(administrator, newcomer(), "Approvers", reason="x")
        page = administrator.get(f"/admin/auth/user/{newcomer().pk}/history/").content.decode()
        assert "等待另一名管理员确认" in page


class TestGroups:
    def test_rights_are_added_by_two_persons_and_taken_by_one(self, administrator: Client) -> None:
        one = Group.objects.create(name="Tellers")
        one.permissions.set(Permission.objects.filter(codename__in=["view_order", "add_order"]))
        page = save_group(administrator, one, "view_order", "view_batch", reason="要看批次")
        assert "尚未生效" in page.content.decode()
        assert rights(one) == {"view_order"}
        with pytest.raises(NotYours):
            confirm(waiting(), person("administrator"))
        decide(second(), waiting())
        assert rights(one) == {"view_order", "view_batch"}
        event = PortalEvent.objects.get(kind=PortalEventKind.GROUP_CHANGED)
        assert known(event.details)["rights"] == [
            ["recharge.add_order", "recharge.view_order"],
            ["recharge.view_order"],
        ]

    def test_a_new_group_is_empty_until_then(self, administrator: Client) -> None:
        right = Permission.objects.get(codename="approve_order")
        said = {"name": "Mine", "permissions": [right.pk], "reason": "x"}
        assert administrator.post("/admin/auth/group/add/", said).status_code == 302
        assert rights(group("Mine")) == set()
        decide(second(), waiting())
        assert rights(group("Mine")) == {"approve_order"}

    def test_a_reason_is_needed(self, administrator: Client) -> None:
        one = Group.objects.create(name="Tellers")
        assert "请填写原因" in save_group(administrator, one, "view_order").content.decode()
        assert (rights(one), AccountChange.objects.exists()) == (set(), False)

    def test_a_group_that_is_gone_meanwhile_gets_nothing(self, owner: Client, administrator: Client) -> None:
        one = Group.objects.create(name="Tellers")
        save_group(administrator, one, "approve_order", reason="x")
        assert owner.post(f"/admin/auth/group/{one.pk}/delete/", {"post": "yes"}).status_code == 302
        with pytest.raises(TooLate):
            confirm(waiting(), second())
        assert PortalEvent.objects.filter(kind=PortalEventKind.GROUP_CHANGED).last()


class TestPasswords:
    def test_that_of_a_clerk_is_set_at_once_and_written_down(self, administrator: Client) -> None:
        user = newcomer("Operators")
        set_password(administrator, user)
        user.refresh_from_db()
        assert user.check_password(NEW)
        event = PortalEvent.objects.get(kind=PortalEventKind.PASSWORD_SET)
        assert (event.actor, event.about, event.details) == (person("administrator"), f"user:{user.pk}", None)

    def test_that_of_an_approver_waits_as_a_hash_and_is_forgotten_afterwards(self, administrator: Client) -> None:
        user = newcomer("Approvers")
        user.set_password(PASSWORD)
        user.save()
        assert 'name="reason"' in administrator.get(f"/admin/auth/user/{user.pk}/password/").content.decode()
        assert "请填写原因" in set_password(administrator, user).content.decode()
        page = set_password(administrator, user, reason="忘记密码")
        assert "尚未生效" in page.content.decode()
        user.refresh_from_db()
        assert user.check_password(PASSWORD)
        change = waiting()
        assert NEW not in change.password
        assert check_password(NEW, change.password)
        for client in (administrator, browser(second())):
            shown = client.get(f"/accounts/changes/{change.pk}/").content.decode()
            assert change.password not in shown
        assert change.password not in str(list(PortalEvent.objects.values()))
        decide(second(), change)
        user.refresh_from_db()
        change.refresh_from_db()
        assert (user.check_password(NEW), change.password) == (True, "")

    @pytest.mark.parametrize("ending", ["refuse", "withdraw", "expire"])
    def test_the_hash_is_forgotten_however_it_ends(self, ending: str, administrator: Client) -> None:
        user = newcomer("Approvers")
        set_password(administrator, user, reason="x")
        change = waiting()
        if ending == "expire":
            AccountChange.objects.update(asked_at=F("asked_at") - WAITS_FOR)
            sweeping.sweep()
        else:
            actor = second() if ending == "refuse" else person("administrator")
            changes.refuse(change_id=change.pk, actor=actor, words="no")
        change.refresh_from_db()
        assert (bool(change.outcome), change.password) == (True, "")
        assert not user.check_password(NEW)

    def test_one_s_own_is_not_set_there_without_the_old_one(self, administrator: Client) -> None:
        me = person("administrator")
        set_password(administrator, me, reason="x")
        me.refresh_from_db()
        assert me.check_password(PASSWORD)

    def test_power_can_always_be_locked_out(self, administrator: Client) -> None:
        user = newcomer("Approvers")
        user.set_password(PASSWORD)
        user.save()
        said = {"usable_password": "false", "unset-password": "1"}
        administrator.post(f"/admin/auth/user/{user.pk}/password/", said)
        user.refresh_from_db()
        assert not user.has_usable_password()


class TestMeanwhile:
    @pytest.mark.parametrize("loss", ["deactivated", "out of the group"])
    def test_who_asked_has_lost_his_rights(self, loss: str) -> None:
        change = asked()
        asker = person("administrator")
        if loss == "deactivated":
            User.objects.filter(pk=asker.pk).update(is_active=False)
        else:
            asker.groups.clear()
        with pytest.raises(TooLate):
            confirm(change, second())
        assert state(newcomer())[0] == set()

    def test_whom_it_is_about_was_deactivated(self) -> None:
        change = asked()
        User.objects.filter(username="wang").update(is_active=False)
        with pytest.raises(TooLate):
            confirm(change, second())
        assert (waiting(), state(newcomer())[0]) == (change, set())

    def test_who_confirms_has_lost_his_rights(self) -> None:
        change, actor = asked(), second()
        assert actor.has_perm("auth.change_user")  # as the session's own user still remembers
        actor.groups.clear()
        with pytest.raises(NotYours):
            confirm(change, actor)
        assert waiting() == change

    def test_who_set_the_password_of_who_asks_is_no_second_person(self) -> None:
        change, actor = asked(), second()
        record_of_portal(PortalEventKind.PASSWORD_SET, actor=actor, about=person("administrator"))
        with pytest.raises(NotYours):
            confirm(change, actor)
        record_of_portal(PortalEventKind.PASSWORD_CHANGED, actor=person("administrator"), about=person("administrator"))
        with pytest.raises(NotYours):
            confirm(change, actor)
        days_pass(31)
        confirm(change, actor)
        assert state(newcomer_as_is())[0] == {"Approvers"}

    def test_a_group_that_gained_rights_is_looked_at_again(self) -> None:
        change = asked()
        seen = changes.seen(change)
        group("Approvers").permissions.add(Permission.objects.get(codename="teach_reading"))
        with pytest.raises(Outdated):
            changes.confirm(change_id=change.pk, was_seen=seen, actor=second())
        assert (waiting(), state(newcomer())[0]) == (change, set())

    def test_after_a_week_nobody_confirms_it_any_more(self) -> None:
        change = asked()
        AccountChange.objects.update(asked_at=F("asked_at") - WAITS_FOR - dt.timedelta(minutes=1))
        with pytest.raises(TooLate):
            confirm(change, second())
        assert state(newcomer())[0] == set()
        again = asked()
        assert (waiting(), AccountChange.objects.get(pk=change.pk).outcome) == (again, DONE.EXPIRED)

    def test_a_superuser_who_is_none_any_more_makes_none(self) -> None:
        owner = User.objects.create_superuser("owner")
        change = changes.ask_for_rights(user=newcomer(), more=Raise(flags=("is_superuser",)), reason="x", actor=owner)
        owner.is_superuser = False
        owner.save()
        owner.groups.add(group("Administrators"))
        with pytest.raises(TooLate):
            confirm(change, second())
        assert not state(newcomer())[3]

    def test_nobody_changes_what_waits_through_the_pages(self, administrator: Client) -> None:
        change = asked()
        before = AccountChange.objects.values().get()
        said = {"decision": "approve", "wanted": '{"groups": [1]}', "user": "1", "kind": "GROUP"}
        administrator.post(f"/accounts/changes/{change.pk}/", said)
        assert AccountChange.objects.values().get() == before


class TestShopWithOneAdministrator:
    def test_the_page_says_who_confirms(self, administrator: Client) -> None:
        asked()
        assert "confirm_account_change" in administrator.get("/accounts/changes/").content.decode()
        second()
        assert "confirm_account_change" not in administrator.get("/accounts/changes/").content.decode()

    def test_the_servers_owner_confirms_at_the_command_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        change = asked()
        call_command("confirm_account_change")
        told = capsys.readouterr().out
        assert f"{change.pk}: " in told
        assert "wang" in told
        assert "换班" in told
        call_command("confirm_account_change", str(change.pk), "--yes")
        assert state(newcomer_as_is())[0] == {"Approvers"}
        event = PortalEvent.objects.get(kind=PortalEventKind.CHANGE_CONFIRMED)
        assert (event.actor, known(event.details)["by"]) == (None, "command line")

    def test_without_a_yes_nothing_is_changed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        change = asked()
        monkeypatch.setattr("builtins.input", lambda prompt: "no")
        for arguments in ([str(change.pk)], ["99999"]):
            with pytest.raises(CommandError):
                call_command("confirm_account_change", *arguments)
        assert (waiting(), state(newcomer_as_is())[0]) == (change, set())


def newcomer_as_is() -> User:
    return User.objects.get(username="wang")


class TestBeingSeen:
    def test_others_see_a_badge_until_it_is_decided(self) -> None:
        client = browser(second())
        badge = 'href="/accounts/changes/" title'
        assert badge not in client.get("/").content.decode()
        change = asked()
        assert badge in client.get("/").content.decode()
        assert badge not in browser(person("clerk")).get("/").content.decode()
        changes.refuse(change_id=change.pk, actor=second(), words="no")
        assert badge not in client.get("/").content.decode()
        assert "换班" in client.get("/accounts/changes/").content.decode()

    def test_the_page_of_approvals_leads_there(self) -> None:
        asked()
        assert 'data-account-changes="1"' in browser(second()).get("/approvals/").content.decode()
        assert "data-account-changes" not in browser(person("approver")).get("/approvals/").content.decode()

    def test_it_rings_where_it_waits_for_long(self) -> None:
        asked()
        watching.watch()
        assert not Alert.objects.filter(kind=AlertKind.APPROVALS).exists()
        AccountChange.objects.update(asked_at=F("asked_at") - dt.timedelta(hours=1))
        watching.watch()
        assert Alert.objects.get(kind=AlertKind.APPROVALS).amount == 1

    @pytest.mark.parametrize("role", ["clerk", "approver", "auditor", "outsider"])
    def test_who_does_not_manage_users_sees_and_does_nothing(self, role: str) -> None:
        change, client = asked(), browser(person(role))
        for address in ("/accounts/changes/", f"/accounts/changes/{change.pk}/"):
            assert client.get(address).status_code == 403
        said = {"decision": "approve", "seen": changes.seen(change)}
        assert client.post(f"/accounts/changes/{change.pk}/", said).status_code == 403
        assert waiting() == change


def test_what_gives_power_is_said_by_the_rights_not_by_the_names_of_groups() -> None:
    power = {one.name: bool(powers.give_power(powers.rights_of_groups([one]))) for one in Group.objects.all()}
    assert power == {"Operators": False, "Auditors": False, "Approvers": True, "Administrators": True}
    assert powers.give_power(["recharge.some_later_right"]), "what is not known to be harmless gives power"


class TestFactors:
    """Who takes an approver's factors away could sign in as he with a password that he has set before."""

    def test_those_of_an_approver_go_once_a_second_administrator_has_confirmed(self, administrator: Client) -> None:
        user = newcomer("Approvers")
        app_of(user)
        page = edit(administrator, user, "Approvers", reset_factors="on", reason="手机丢了")
        assert "尚未生效" in page.content.decode()
        assert Authenticator.objects.filter(user=user).exists()
        change = waiting()
        shown = browser(second()).get(f"/accounts/changes/{change.pk}/").content.decode()
        assert "所有两步验证方式将被移除" in shown
        theirs = browser(user)
        assert theirs.session.session_key
        decide(second(), change)
        assert not Authenticator.objects.filter(user=user).exists()
        assert theirs.get("/").status_code == 302
        event = PortalEvent.objects.get(kind=PortalEventKind.FACTORS)
        assert (event.actor, event.about) == (person("administrator"), f"user:{user.pk}")

    def test_nothing_is_asked_for_without_a_reason(self, administrator: Client) -> None:
        user = newcomer("Approvers")
        app_of(user)
        edit(administrator, user, "Approvers", reset_factors="on")
        assert not AccountChange.objects.exists()
        assert Authenticator.objects.filter(user=user).exists()

    def test_those_of_a_clerk_go_at_once(self, administrator: Client) -> None:
        user = newcomer("Operators")
        app_of(user)
        edit(administrator, user, "Operators", reset_factors="on")
        assert not Authenticator.objects.filter(user=user).exists()
        assert not AccountChange.objects.exists()

    def test_a_password_that_was_confirmed_is_changed_at_the_next_sign_in(self) -> None:
        user = newcomer("Approvers")
        change = changes.ask_for_password(
            user=user, password=make_password(NEW), reason="忘记密码", actor=person("administrator")
        )
        confirm(change, second())
        client = Client()
        client.post("/accounts/login/", {"username": user.username, "password": NEW})
        assert client.get("/")["Location"].startswith("/accounts/password_change/")
