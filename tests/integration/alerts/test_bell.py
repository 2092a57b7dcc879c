"""The bell, the list behind it, who has seen what, and the rules, as people see and change them."""

import re

import pytest
from django.contrib.auth.models import Group
from django.test import Client, override_settings
from pytest_django import DjangoAssertNumQueries

from recharge.alerts.services import reading, ringing, rules
from recharge.choices import AlertKind, PortalEventKind
from recharge.core.errors import TooLate
from recharge.models import Alert, AlertQuietHours, AlertReading, AlertRule, PortalEvent
from tests.known import known
from tests.pages import Page, confirm
from tests.people import person

pytestmark = pytest.mark.django_db


def signed_in(name: str) -> Client:
    client = Client()
    client.force_login(person(name))
    return client


@pytest.fixture
def clerk() -> Client:
    return signed_in("clerk")


@pytest.fixture
def administrator() -> Client:
    return signed_in("administrator")


def unread(client: Client) -> str:
    return client.get("/orders/").content.decode().partition('data-bell="')[2].partition('"')[0]


def main_of(page: Page) -> str:
    return page.content.decode().partition("<main")[2]


def test_the_bell_counts_for_each_person_what_came_since_he_looked(clerk: Client, administrator: Client) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    ringing.ring(AlertKind.STOP, "1")
    assert (unread(clerk), unread(administrator)) == ("2", "2")
    assert main_of(clerk.get("/alerts/")).count(">新<") == 2
    assert (unread(clerk), unread(administrator)) == ("", "2")
    ringing.ring(AlertKind.BATCH, "2")
    assert unread(clerk) == "1"
    assert main_of(clerk.get("/alerts/")).count(">新<") == 1


def test_only_the_whole_list_counts_as_seen(clerk: Client) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    clerk.get("/alerts/?kind=STOP")
    clerk.head("/alerts/")
    clerk.get("/alerts/1/")
    assert unread(clerk) == "1"


def test_a_late_look_does_not_bring_back_what_was_seen(clerk: Client) -> None:
    for number in range(2):
        ringing.ring(AlertKind.BATCH, str(number))
    first, second = Alert.objects.order_by("id")
    reading.note([second], reader=person("clerk"))
    reading.note([first], reader=person("clerk"))
    assert AlertReading.objects.get().read_until == second.pk


def test_who_never_looked_is_shown_what_is_open_and_not_all_that_ever_was(clerk: Client) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    ringing.end(Alert.objects.get())
    assert unread(clerk) == ""
    ringing.ring(AlertKind.BATCH, "2")
    assert unread(clerk) == "1"


def test_a_kind_for_a_group_is_shown_to_it_and_to_who_makes_the_rules(clerk: Client, administrator: Client) -> None:
    rules.change_rule(
        kind=AlertKind.STOP, actor=person("administrator"), on=True, threshold=None, again_after=0, can_wait=False,
        groups=[Group.objects.get(name="Approvers")], channels=[],
    )  # fmt: skip
    ringing.ring(AlertKind.STOP, "1")
    address = f"/alerts/{Alert.objects.get().pk}/"
    assert (unread(clerk), unread(signed_in("approver")), unread(administrator)) == ("", "1", "1")
    assert "紧急停止" not in main_of(clerk.get("/alerts/")).partition("data-open")[2]
    assert (clerk.get(address).status_code, administrator.get(address).status_code) == (404, 200)


def test_wrong_passwords_are_for_administrators_from_the_start(clerk: Client, administrator: Client) -> None:
    ringing.ring(AlertKind.WRONG_PASSWORDS, "clerk", times=5)
    assert (unread(clerk), unread(administrator)) == ("", "1")


def test_open_ones_come_first_and_are_filtered(clerk: Client) -> None:
    ringing.ring(AlertKind.BATCH, "1", orders=17)
    ringing.ring(AlertKind.GUARD)
    ringing.end(Alert.objects.get(kind=AlertKind.GUARD))
    every = main_of(clerk.get("/alerts/")).partition("data-open")[2]
    assert every.index("有批次已暂停") < every.index("恢复保护")
    assert "orders: 17" in every
    is_open = main_of(clerk.get("/alerts/?state=open")).partition("data-open")[2]
    over = main_of(clerk.get("/alerts/?state=over")).partition("已解除</h2>")[2]
    assert ("有批次已暂停" in is_open, "恢复保护" in is_open) == (True, False)
    assert ("有批次已暂停" in over, "恢复保护" in over) == (False, True)
    assert "有批次已暂停" not in main_of(clerk.get("/alerts/?kind=GUARD")).partition("data-open")[2]


def test_a_person_says_what_is_being_done_and_everybody_reads_it(clerk: Client, administrator: Client) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    alert = Alert.objects.get()
    confirm(clerk, f"/alerts/{alert.pk}/acknowledge/", reason="正在核对")
    for address in ("/alerts/", f"/alerts/{alert.pk}/"):
        text = main_of(administrator.get(address))
        assert "正在核对" in text
        assert "clerk" in text
    refused = confirm(administrator, f"/alerts/{alert.pk}/acknowledge/", reason="我也看到了")
    assert "alert-danger" in refused.content.decode()
    alert.refresh_from_db()
    assert (known(alert.acknowledged_by).username, alert.over_at) == ("clerk", None)


def test_no_words_are_no_acknowledgement(clerk: Client) -> None:
    ringing.ring(AlertKind.BATCH, "1")
    confirm(clerk, f"/alerts/{Alert.objects.get().pk}/acknowledge/", reason=" ")
    assert Alert.objects.get().acknowledged_at is None


def test_who_may_only_look_acknowledges_nothing() -> None:
    ringing.ring(AlertKind.BATCH, "1")
    refused = signed_in("auditor").post(f"/alerts/{Alert.objects.get().pk}/acknowledge/", {"reason": "x"})
    assert refused.status_code == 403
    assert Alert.objects.get().acknowledged_at is None


def test_what_somebody_did_is_over_once_a_person_has_seen_it() -> None:
    ringing.ring(AlertKind.WRONG_PASSWORDS, "clerk")
    ringing.acknowledge(alert_id=Alert.objects.get().pk, actor=person("administrator"), words="是本人")
    assert Alert.objects.get().over_at
    with pytest.raises(TooLate):
        ringing.acknowledge(alert_id=Alert.objects.get().pk, actor=person("administrator"), words="again")


def test_the_list_costs_the_same_for_one_alert_and_for_many(
    clerk: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ringing.ring(AlertKind.BATCH, "0")
    clerk.get("/alerts/")
    with django_assert_max_num_queries(30) as one:
        clerk.get("/alerts/")
    for number in range(1, 40):
        ringing.ring(AlertKind.BATCH, str(number))
    Alert.objects.update(acknowledged_by=person("clerk"), acknowledgement="x", acknowledged_at="2026-01-01T00:00Z")
    clerk.get("/alerts/")
    with django_assert_max_num_queries(30) as many:
        clerk.get("/alerts/")
    assert len(one) == len(many)


def test_an_administrator_changes_a_rule_and_it_is_written_down(administrator: Client) -> None:
    group = Group.objects.get(name="Approvers")
    said = {"on": "on", "threshold": "90", "again_after": "60", "can_wait": "on", "groups": [group.pk]}
    changed = administrator.post("/alerts/rules/APPROVALS/", said, follow=True)
    rule = AlertRule.objects.get(kind=AlertKind.APPROVALS)
    assert (rule.on, rule.threshold, rule.again_after, rule.can_wait) == (True, 90, 60, True)
    assert list(rule.groups.all()) == [group]
    text = main_of(changed)
    assert "1 小时后再提醒" in text
    assert "90" in text
    assert "审批员" in text
    form = main_of(administrator.get("/alerts/rules/APPROVALS/"))
    assert "操作员" in form
    assert "Operators" not in form
    assert "Approvers" not in text
    event = PortalEvent.objects.get(kind=PortalEventKind.ALERT_RULE)
    assert known(event.actor).username == "administrator"
    assert "达到 90" in event.note
    assert "显示给 审批员" in event.note
    assert not re.search("[A-Za-z]", event.note)


def test_what_the_environment_names_is_told_and_stands_still(administrator: Client) -> None:
    with override_settings(ALERT_FIXED={"ALERT_APPROVAL_MINUTES"}, ALERT_APPROVAL_MINUTES=45):
        assert "ALERT_APPROVAL_MINUTES" in main_of(administrator.get("/alerts/rules/"))
        page = main_of(administrator.get("/alerts/rules/APPROVALS/"))
        assert "由设置项 ALERT_APPROVAL_MINUTES 指定" in page
        assert 'value="45"' in page
        administrator.post("/alerts/rules/APPROVALS/", {"on": "on", "threshold": "1", "again_after": "0"})
        assert rules.threshold(rules.rule_of(AlertKind.APPROVALS)) == 45
    assert AlertRule.objects.get(kind=AlertKind.APPROVALS).threshold is None


def test_a_large_threshold_is_written_in_full(administrator: Client) -> None:
    with override_settings(ALERT_BALANCE_YUAN=1234567.0):
        assert "留空为 1234567" in main_of(administrator.get("/alerts/rules/BALANCE/"))


def test_the_rules_cost_the_same_however_many_were_changed(
    administrator: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(30) as few:
        administrator.get("/alerts/rules/")
    for kind in AlertKind.values:
        administrator.post(f"/alerts/rules/{kind}/", {"on": "on", "again_after": "0", "groups": [1, 2]})
    with django_assert_max_num_queries(30) as many:
        administrator.get("/alerts/rules/")
    assert len(many) == len(few)


@pytest.mark.parametrize("kind", AlertKind.values)
def test_every_kind_has_a_page_of_its_rule_and_one_of_an_alert(administrator: Client, kind: str) -> None:
    assert administrator.get(f"/alerts/rules/{kind}/").status_code == 200
    ringing.ring(AlertKind(kind), "1")
    assert administrator.get(f"/alerts/{Alert.objects.get().pk}/").status_code == 200


def test_quiet_hours_are_entered_and_taken_away(administrator: Client) -> None:
    administrator.post("/alerts/quiet-hours/", {"begin": "22:00", "end": "08:00"})
    assert str(AlertQuietHours.objects.get()) == "22:00–08:00"
    refused = administrator.post("/alerts/quiet-hours/", {"begin": "22:00", "end": ""})
    assert "一起填" in refused.content.decode()
    administrator.post("/alerts/quiet-hours/", {"begin": "", "end": ""})
    assert not AlertQuietHours.objects.exists()
    notes = PortalEvent.objects.filter(kind=PortalEventKind.ALERT_RULE).values_list("note", flat=True)
    assert list(notes) == ["免打扰时段: – → 22:00–08:00", "免打扰时段: 22:00–08:00 → –"]
