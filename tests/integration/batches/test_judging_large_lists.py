"""A large list is judged by a worker: the upload answers at once, and what was found stands on its page afterwards."""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from portal.celery import closing
from portal.sheets import UnreadableSheet
from recharge.batches.services import assembling, judging, making, preview, uploading
from recharge.batches.services.columns.choosing import choose_columns
from recharge.batches.services.columns.memory import said_before
from recharge.batches.services.skipped_lines import skipped_lines_of
from recharge.choices import BatchState
from recharge.core import queue
from recharge.core.errors import BadLines, Outdated, ReasonNeeded, StillReading
from recharge.models import Batch, BatchDraft, ListReading, Order
from recharge.operations.services import restoring, sweeping
from recharge.orders.services import placing
from tests.batches import assembled, mobile, mobiles, sheet, upload
from tests.pages import press
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent", "platform")]


class Died(BaseException):
    """The process is gone."""


@pytest.fixture(autouse=True)
def small_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "READ_AT_ONCE", 3)
    monkeypatch.setattr(judging, "TOLD_EVERY", 2)
    monkeypatch.setattr(assembling, "ROOM_FOR_OTHERS", 0)


@pytest.fixture
def clerk_user(db: None) -> User:
    return person("clerk")


@pytest.fixture
def clerk(client: Client, clerk_user: User) -> Client:
    client.force_login(clerk_user)
    return client


def judge(*, after: dict[int, Callable[[], object]]) -> None:
    """Do a worker's work; when it tells for so many lines how far it has got, something happens."""
    original = judging._tell

    def tell(reading: ListReading, lines: int) -> None:
        original(reading, lines)
        after.get(lines, lambda: None)()

    with mock.patch.object(judging, "_tell", tell):
        judging.judge_waiting()


def die() -> None:
    raise Died


def address(draft: BatchDraft) -> str:
    return f"/batches/new/{draft.pk}/"


def reading_of(draft: BatchDraft) -> ListReading:
    return ListReading.objects.get(draft=draft)


def judged(clerk: User, lines: list[str]) -> BatchDraft:
    draft = upload(clerk, lines)
    judging.judge_waiting()
    assert reading_of(draft).judged_at
    return draft


def send(client: Client, *lines: str, header: str = "手机号,面值") -> str:
    file = SimpleUploadedFile("list.csv", sheet(*lines, header=header))
    return str(client.post("/batches/new/", {"product": "MOBILE", "file": file})["Location"])


def test_a_small_list_is_judged_while_the_person_waits(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(3))
    assert not ListReading.objects.exists()
    assert judging.judged_preview(draft) is None


def test_the_upload_of_a_large_list_judges_no_line(
    clerk: Client, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with (
        mock.patch.object(queue, "start_drains") as started,
        mock.patch.object(judging, "all_lines", side_effect=AssertionError),
        mock.patch.object(preview, "all_lines", side_effect=AssertionError),
        django_capture_on_commit_callbacks(execute=True),
    ):
        page = clerk.get(send(clerk, *mobiles(9)))
    started.assert_called_once_with(queue.JUDGE, 1)
    assert page.status_code == 200
    assert 'hx-trigger="every 3s"' in page.content.decode()
    assert "hx-get" in page.content.decode()


def test_a_list_of_many_bytes_is_not_even_opened(clerk_user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "BYTES_READ_AT_ONCE", 10)
    with mock.patch.object(uploading, "open_remembered", side_effect=AssertionError):
        draft = upload(clerk_user, mobiles(2))
    judging.judge_waiting()
    found = judging.judged_preview(draft)
    assert found
    assert found[0].placeable.orders == 2


def test_the_worker_finds_what_a_request_would_have_found(clerk_user: User) -> None:
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(2), face_value=50)
    draft = judged(clerk_user, [*mobiles(4), "12345,50", f"{mobile(1)},50", "14500000001,50"])
    found = judging.judged_preview(draft)
    assert found
    seen, doubtful, bad, seen_until = found
    assert seen == preview.preview(draft)
    assert (seen.bad, seen.suspicious.orders, doubtful, bad) == (1, 3, [3, 7, 8], [6])
    assert seen_until == Order.objects.get().pk


def test_the_page_shows_how_far_it_is_and_then_the_preview(clerk: Client, clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    seen: list[str] = []
    judge(after={4: lambda: seen.append(clerk.get(address(draft)).content.decode())})
    assert '<span class="display-6 number">4</span>' in seen[0]
    told = clerk.get(address(draft), headers={"HX-Request": "true", "X-Seen": "x"})
    assert told["HX-Refresh"] == "true"
    page = clerk.get(address(draft)).content.decode()
    assert "¥ 250" in page.replace("\xa0", " ")
    assert "hx-trigger" not in page.partition("<main")[2]


def test_a_list_that_is_being_judged_can_not_be_placed(clerk: Client, clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    with pytest.raises(StillReading):
        making.make_batch(draft=draft, made_by=clerk_user)
    assert clerk.post(address(draft)).status_code == 200
    assert clerk.get(f"{address(draft)}bad.csv")["Location"] == address(draft)
    assert not Batch.objects.exists()


def test_a_judged_list_becomes_a_batch_without_judging_it_again(clerk: Client, clerk_user: User) -> None:
    draft = judged(clerk_user, mobiles(5))
    with mock.patch.object(making, "lines", side_effect=AssertionError):
        answer = press(clerk, address(draft))
    batch = Batch.objects.get()
    assert answer["Location"] == f"/batches/{batch.pk}/"
    assert (batch.state, batch.size, batch.total) == (BatchState.MAKING, 5, 250)
    assert assembled(batch).state == BatchState.CANARY
    assert batch.orders.count() == 5
    assert not BatchDraft.objects.exists()
    assert not ListReading.objects.exists()
    assert clerk.post(address(draft))["Location"] == f"/batches/{batch.pk}/"


def test_what_somebody_else_placed_since_the_judging_is_left_out_and_named(clerk_user: User) -> None:
    draft = judged(clerk_user, [*mobiles(5), f"{mobile(1)},50"])
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(3), face_value=50)
    batch = assembled(making.make_batch(draft=draft, made_by=clerk_user, reason="补充", doubts_seen=1))
    assert list(batch.orders.order_by("line").values_list("line", flat=True)) == [2, 3, 5, 6, 7]
    assert [line.line for line in skipped_lines_of(batch)] == [4]
    assert list(batch.orders.exclude(duplicate_reason="").values_list("line", flat=True)) == [7]


def test_bad_and_suspicious_lines_of_a_judged_list_are_asked_about(clerk_user: User) -> None:
    draft = judged(clerk_user, [*mobiles(5), "12345,50", f"{mobile(1)},50"])
    with pytest.raises(BadLines, match="7"):
        making.make_batch(draft=draft, made_by=clerk_user)
    with pytest.raises(ReasonNeeded, match="8"):
        making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True)
    with pytest.raises(ReasonNeeded):
        making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True, reason="x", doubts_seen=0)
    batch = making.make_batch(draft=draft, made_by=clerk_user, leave_out_bad=True, reason="x", doubts_seen=1)
    assert (batch.size, batch.left_out) == (6, 1)
    assembled(batch)
    assert [line.line for line in skipped_lines_of(batch)] == [7]


def test_a_killed_worker_is_taken_over(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    with pytest.raises(Died):
        judge(after={2: die})
    judging.judge_waiting()
    assert reading_of(draft).judged_at is None, "the lease of a worker that may be alive counts"
    ListReading.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    with mock.patch.object(queue, "start_drains") as started, mock.patch.object(queue, "waiting", return_value=0):
        sweeping.sweep()
    assert mock.call(queue.JUDGE, 1) in started.call_args_list
    judging.judge_waiting()
    assert reading_of(draft).attempts == 2
    assert judging.judged_preview(draft)


def test_whoever_was_taken_over_writes_nothing_more(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))

    def overtake() -> None:
        ListReading.objects.update(lease_until=timezone.now() - judging.LEASE)
        with mock.patch.object(judging, "TOLD_EVERY", 99):
            judging.judge_waiting()
        ListReading.objects.update(lines=77)

    judge(after={2: overtake})
    assert (reading_of(draft).lines, reading_of(draft).attempts) == (77, 2)


def test_of_two_workers_only_the_later_one_goes_on(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))

    def overtake() -> None:
        ListReading.objects.update(lease_until=timezone.now() - judging.LEASE)
        assert judging._take_up()

    judge(after={2: overtake})
    assert (reading_of(draft).lines, reading_of(draft).judged_at) == (0, None)


def test_a_worker_that_is_ended_leaves_the_list_to_the_next_one(clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    original = judging._tell

    def tell(reading: ListReading, lines: int) -> None:
        closing.set()
        original(reading, lines)

    try:
        with mock.patch.object(judging, "_tell", tell):
            judging.judge_waiting()
    finally:
        closing.clear()
    assert reading_of(draft).judged_at is None
    judging.judge_waiting()
    assert reading_of(draft).judged_at


def test_a_list_that_kills_every_worker_is_given_up(clerk: Client, clerk_user: User) -> None:
    draft = upload(clerk_user, mobiles(5))
    ListReading.objects.update(attempts=judging.MAX_ATTEMPTS)
    judging.judge_waiting()
    with pytest.raises(UnreadableSheet):
        judging.judged_preview(draft)
    assert "这份名单" in clerk.get(address(draft)).content.decode()


def test_what_is_wrong_with_the_file_stands_on_its_page(clerk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.sheets.reading.MAX_ROWS", 4)
    path = send(clerk, *mobiles(6))
    judging.judge_waiting()
    page = clerk.get(path).content.decode()
    assert "4" in ListReading.objects.get().problem
    assert ListReading.objects.get().problem in page
    assert "hx-trigger" not in page.partition("<main")[2]
    assert clerk.post(path).status_code == 200
    assert not Batch.objects.exists()


def test_lists_are_judged_one_after_the_other(clerk: Client, clerk_user: User) -> None:
    first, second = upload(clerk_user, mobiles(5)), upload(clerk_user, mobiles(5))
    seen: list[object] = []
    judge(after={2: lambda: seen.append((reading_of(first).judged_at, reading_of(second).judged_at))})
    assert seen[0] == (None, None)
    assert seen[1][0] is not None  # type: ignore[index]


def test_columns_are_asked_for_and_the_list_is_judged_by_the_answer(clerk: Client, clerk_user: User) -> None:
    rows = [f"{mobile(number)},甲,50" for number in range(1, 7)]
    path = send(clerk, *rows, header="a,b,c")
    assert clerk.get(path)["Location"].endswith("/columns/"), "the page needs no worker to ask"
    draft = BatchDraft.objects.get()
    judging.begin(draft)
    judging.judge_waiting()
    assert clerk.get(path)["Location"] == f"{path}columns/"
    assert clerk.get(path, headers={"HX-Request": "true"})["HX-Redirect"] == f"{path}columns/"
    clerk.post(f"{path}columns/", {"column_0": "mobile", "column_2": "face_value"})
    assert reading_of(draft).judged_at is None
    ListReading.objects.all().delete()
    clerk.post(f"{path}columns/", {"column_0": "mobile", "column_2": "face_value"})
    assert reading_of(draft).judged_at is None, "it is large, whoever was asked when"
    judging.judge_waiting()
    draft.refresh_from_db()
    found = judging.judged_preview(draft)
    assert found
    assert found[0].good.orders == 6
    again = upload(clerk_user, rows, "a,b,c")
    ListReading.objects.filter(draft=again).delete()
    BatchDraft.objects.filter(pk=again.pk).update(columns=None)
    judging.begin(again)
    judging.judge_waiting()
    assert judging.judged_preview(again), "the answer is remembered"


def test_what_a_person_says_while_the_worker_reads_is_not_overwritten(clerk: Client, clerk_user: User) -> None:
    rows = [f"{mobile(number)},甲,50" for number in range(1, 7)]
    first = send(clerk, *rows, header="a,b,c")
    clerk.post(f"{first}columns/", {"column_0": "mobile", "column_2": "face_value"})
    draft = upload(clerk_user, rows, "a,b,c")
    BatchDraft.objects.filter(pk=draft.pk).update(columns=None)
    judging.begin(draft)
    said = {"mobile": 0, "note": 1, "face_value": 2}

    def say(question: Any, **about: Any) -> Any:
        found = said_before(question, **about)
        draft.refresh_from_db()
        choose_columns(draft=draft, positions=said, chosen_by=clerk_user)
        return found

    with mock.patch.object(judging, "said_before", side_effect=say) as asked:
        judging.judge_waiting()
    draft.refresh_from_db()
    assert draft.columns
    assert (asked.call_count, draft.columns["positions"]) == (1, said)


def test_a_list_that_is_read_otherwise_meanwhile_makes_no_batch(clerk_user: User) -> None:
    draft = judged(clerk_user, mobiles(5))
    BatchDraft.objects.filter(pk=draft.pk).update(quantities=True)
    with pytest.raises(Outdated):
        making.make_batch(draft=draft, made_by=clerk_user)


def test_it_is_judged_again_when_somebody_asks(clerk: Client, clerk_user: User) -> None:
    draft = judged(clerk_user, mobiles(5))
    placing.place_mobile_order(placed_by=clerk_user, mobile=mobile(3), face_value=50)
    clerk.post(f"{address(draft)}again/")
    with pytest.raises(StillReading):
        judging.judged_preview(draft)
    judging.judge_waiting()
    found = judging.judged_preview(draft)
    assert found
    assert found[0].suspicious.orders == 1


def test_what_was_found_is_not_readable_in_the_database(clerk_user: User) -> None:
    draft = judged(clerk_user, [*mobiles(5), f"{mobile(1)},50"])
    row = ListReading.objects.filter(draft=draft).extra(select={"stored": "result"}).values("stored")
    assert mobile(1) not in json.dumps(list(row))


def test_a_forgotten_upload_takes_its_reading_along(clerk_user: User) -> None:
    upload(clerk_user, mobiles(5))
    assert restoring.put_in_order(dry_run=True)["drafts"] == 1
    BatchDraft.objects.update(uploaded_at=timezone.now() - 2 * sweeping.DRAFTS_KEPT)
    sweeping.sweep()
    assert not ListReading.objects.exists()
