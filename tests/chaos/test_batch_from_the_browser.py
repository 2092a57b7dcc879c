"""A long sheet goes from the browser to the platform and back, while everything goes wrong that can.

Real PostgreSQL, Redis, web, workers and scheduler; a clerk and an approver in Chromium; a platform that hangs, answers
with web pages and refuses; one worker killed with -9, one pause. BATCH_ROWS says how long the sheet is.
"""

import csv
import datetime as dt
import io
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Permission, User
from django.db import connection, connections
from django.db.models import Sum
from django.utils import timezone, translation
from playwright.sync_api import Browser, Locator, Page

from recharge.choices import BatchEventKind, BatchState, Brake, EventKind, Product, Submission
from recharge.core import wording
from recharge.models import DEAD_SUBMISSIONS, Batch, BatchDraft, Order, OrderEvent
from tests.browser import launched, sign_in
from tests.processes import (
    Processes,
    books,
    clear_faults,
    database_url,
    free_port,
    sandbox_settings,
    set_fault,
    time_passes,
    wait_for,
)

pytestmark = [pytest.mark.servers, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]
ROWS = int(os.environ.get("BATCH_ROWS", "1000"))
BAD, REPEATED, CORRECTED = 137, 50, 100
CANARY = 3
FORMULA = '=HYPERLINK("http://127.0.0.1/","13800138000")'
PASSWORD = "correct horse battery"
FAULTS = {"accept_hang": 0.05, "refuse_html": 0.02, "reject": 0.01}
PATIENCE = 300.0 + ROWS / 20
GLANCE = max(0.05, ROWS / 50_000)
"""Seconds between two looks at the books: where they hold many orders, a look is work that slows the portal down."""


def good(number: int) -> str:
    return f"13{number % 10}{10_000_000 + number:08d},{(50, 100, 200)[number % 3]},快,客户{number}"


def sheet(*, corrected: int = 0) -> bytes:
    """Return ROWS lines in GB18030: bad ones of several kinds, repetitions, and a formula in a note."""
    bad = [f"{kind},50,快,坏" for kind in ("1380013800", "17012345678", "1.38E+10", "手机")]
    lines = [good(number) for number in range(ROWS - BAD - REPEATED - 1)]
    lines += [good(900_000 + number) if number < corrected else bad[number % 4] for number in range(BAD)]
    lines += [good(number) for number in range(REPEATED)]
    lines.append(f'13912345678,50,快,"{FORMULA.replace(chr(34), chr(34) * 2)}"')
    return "\r\n".join(["手机号,面值,快慢,备注", *lines]).encode("gb18030")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[tuple[str, Processes, str]]:
    assert connection.vendor == "postgresql"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with sandbox_settings(tmp_path, latency="0.05", balance="99999999") as (root, environment):
        processes = Processes(
            {
                **environment,
                "DATABASE_URL": database_url(),
                "CELERY_BROKER_URL": os.environ["CELERY_BROKER_URL"],
                "PUBLIC_URL": url,
                "WIKEYUN_TIMEOUT": "2",
                "SWEEP_SECONDS": "0.5",
                "APPROVAL_ABOVE": "1000",
                "BATCH_CANARY": str(CANARY),
            }
        )
        processes.serve(port)
        processes.start("-m", "celery", "-A", "portal", "beat", "-s", str(tmp_path / "beat"))
        yield root, processes, url
        processes.end()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop stands still whenever this thread goes on
    with launched() as browser:
        yield browser
        connections.close_all()  # those of the test are not those of the fixtures, because of that loop


def person(username: str, *permissions: str) -> None:
    """Groups don't outlive a test that empties the database; permissions do."""
    # The hasher of tests is a fast one, which the portal's own processes rightly don't know.
    user = User.objects.create(username=username, password=PBKDF2PasswordHasher().encode(PASSWORD, "salt"))
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    assert user.user_permissions.count() == len(permissions)


def signed_in(browser: Browser, url: str, username: str) -> Page:
    page = browser.new_context(locale="zh-CN", accept_downloads=True).new_page()
    sign_in(page, url, username, PASSWORD)
    return page


def press(button: Locator) -> None:
    with button.page.expect_navigation():
        button.click()


def downloaded(page: Page, link: Locator) -> list[list[str]]:
    with page.expect_download() as download:
        link.click()
    content = Path(download.value.path()).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))


def upload(page: Page, url: str, content: bytes) -> dict[str, int]:
    """Upload a sheet and return the counts of its preview by their titles."""
    page.goto(f"{url}/batches/new/")
    page.set_input_files("input[name=file]", {"name": "名单.csv", "mimeType": "text/csv", "buffer": content})
    press(page.locator("form[enctype] button[type=submit]"))
    page.locator("main .card-sm").first.wait_for(timeout=300_000)  # a worker checks a large one
    tiles = page.locator("main .card-sm").all()
    return {tile.locator(".subheader").inner_text().strip(): figure(tile) for tile in tiles}


def figure(tile: Locator) -> int:
    return int(tile.locator(".display-6").inner_text().replace(",", ""))


def pushes(root: str) -> int:
    return int(requests.get(f"{root}/sandbox/summary.json", timeout=10).json()["pushes"])


def worker(processes: Processes) -> int:
    return processes.start("-m", "celery", "-A", "portal", "worker", "-P", "threads", "-c", "32").pid


def test_every_row_has_a_known_fate_and_both_books_agree(shop: tuple[str, Processes, str], browser: Browser) -> None:
    root, processes, url = shop
    person("clerk", "add_batch", "change_batch", "view_batch", "view_order", "see_numbers")
    person("approver", "approve_order", "change_batch", "view_batch", "view_order")
    clerk, approver = signed_in(browser, url, "clerk"), signed_in(browser, url, "approver")

    # Preview, the bad lines as a sheet, correction.
    judged = ROWS - BAD - REPEATED - 1  # the formula is bad, too
    assert upload(clerk, url, sheet()) == {"正常": judged, "可疑": REPEATED, "无法下单": BAD + 1}
    bad = downloaded(clerk, clerk.locator("#bad a[download]", has_text="CSV"))
    assert len(bad) == 1 + BAD + 1
    assert any(FORMULA in cell for row in bad for cell in row)
    assert no_formula_in(bad)
    assert not Order.objects.exists()
    counts = upload(clerk, url, sheet(corrected=CORRECTED))
    assert counts == {"正常": judged + CORRECTED, "可疑": REPEATED, "无法下单": BAD + 1 - CORRECTED}
    clerk.check("[name=leave_out_bad]")
    clerk.fill("[name=reason]", "同一客户两次")
    press(clerk.locator("main form button[type=submit]"))
    # A worker puts it together, and nothing goes out before a second person has approved it.
    running = worker(processes)
    wait_for(Batch.objects.filter(state=BatchState.AWAITING_APPROVAL).exists, "the batch is made", PATIENCE)
    batch = Batch.objects.get()
    assert batch.size == ROWS - BAD - 1 + CORRECTED
    approver.goto(f"{url}/approvals/batches/{batch.pk}/")
    assert pushes(root) == 0
    approver.check("[name=decision][value=approve]", force=True)
    press(approver.locator("main form button[type=submit]"))
    wait_for(batch.events.filter(kind=BatchEventKind.CANARY_PASSED).exists, "the first orders are accepted")
    for fault, probability in FAULTS.items():
        set_fault(root, fault=fault, probability=probability)

    # One pause, one kill; what stops by itself is let go on by a person.
    actions = {0.3: "pause", 0.5: "kill"}

    def under_way() -> bool:
        batch.refresh_from_db()
        done = pushes(root) / batch.size
        if batch.state == BatchState.PAUSED:
            resume(clerk, url, batch)
        for share in [share for share in actions if done > share]:
            if actions.pop(share) == "pause":
                pause(clerk, url, batch, root)
            else:
                nonlocal running
                at_work = Order.objects.filter(batch=batch, submission=Submission.SUBMITTING)
                wait_for(at_work.exists, "an order is being handed over")
                os.kill(running, 9)
                running = worker(processes)
        return (not actions and batch.state == BatchState.HANDED_OVER) or leases_left(batch)

    wait_for(under_way, "the batch is handed over", PATIENCE, GLANCE)
    assert not actions
    clear_faults(root)
    wait_for(lambda: all_is_known(batch, root), "every order's fate is known", PATIENCE, GLANCE)
    first_ones_went_ahead(batch)
    everything_happened(batch)
    compare(batch, root)
    results(clerk, url, batch)


def pause(page: Page, url: str, batch: Batch, root: str) -> None:
    page.goto(f"{url}/batches/{batch.pk}/pause/")
    page.fill("[name=reason]", "核对一下")
    press(page.locator("main form button[type=submit]"))
    wait_for(lambda: not Order.objects.filter(batch=batch, submission=Submission.SUBMITTING).exists(), "quiet")
    before = pushes(root)
    assert before < batch.size
    two_sweeps_pass(batch)
    Batch.objects.get(pk=batch.pk, state=BatchState.PAUSED, brake=Brake.BY_HAND)
    assert pushes(root) == before


def is_swept(draft: BatchDraft) -> bool:
    return not BatchDraft.objects.filter(pk=draft.pk).exists()


def two_sweeps_pass(batch: Batch) -> None:
    """Wait until three sweeps have ended, by the old drafts that they delete: the first may have begun before."""
    for _ in range(3):
        draft = BatchDraft.objects.create(product=Product.MOBILE, content="", uploaded_by=batch.made_by)
        BatchDraft.objects.filter(pk=draft.pk).update(uploaded_at=timezone.now() - dt.timedelta(days=2))
        wait_for(partial(is_swept, draft), "a sweep")


def resume(page: Page, url: str, batch: Batch) -> None:
    page.goto(f"{url}/batches/{batch.pk}/resume/")
    page.fill("[name=reason]", "看过了")
    press(page.locator("main form button[type=submit]"))


def leases_left(batch: Batch) -> bool:
    """What the killed worker left is all that is left."""
    waiting = Order.objects.filter(batch=batch, submission__in=[Submission.QUEUED, Submission.AWAITING_APPROVAL])
    return batch.state == BatchState.RUNNING and not waiting.exists()


def all_is_known(batch: Batch, root: str) -> bool:
    """Say whether nothing is open any more; while the workers have nothing to ask, time passes."""
    if not Order.objects.due_for_check().exists():
        time_passes(11)
    summary = requests.get(f"{root}/sandbox/summary.json", timeout=10).json()
    return not Order.objects.filter(batch=batch, settled_at=None).exists() and not summary["lives_under_way"]


def first_ones_went_ahead(batch: Batch) -> None:
    """No other order was taken up before the platform had accepted the first ones."""
    passed = batch.events.get(kind=BatchEventKind.CANARY_PASSED).at
    claims = OrderEvent.objects.filter(order__batch=batch, kind=EventKind.CLAIMED, at__lt=passed)
    first = Order.objects.filter(batch=batch).order_by("line")[:CANARY]
    assert sorted(claims.values_list("order", flat=True)) == sorted(first.values_list("pk", flat=True))


def everything_happened(batch: Batch) -> None:
    """The pause, its end, the platform's faults and the killed worker's orders are on record."""
    by_hand = batch.events.filter(actor__username="clerk")
    paused = by_hand.get(kind=BatchEventKind.PAUSED)
    assert by_hand.filter(kind=BatchEventKind.RESUMED, pk__gt=paused.pk).exists()
    events = OrderEvent.objects.filter(order__batch=batch)
    answers = events.filter(kind=EventKind.ANSWERED)
    for submission in (Submission.REJECTED, Submission.UNKNOWN):
        assert answers.filter(submission_to=submission).exists(), submission
    claimed = events.filter(kind=EventKind.CLAIMED)
    assert claimed.exclude(order__in=answers.values("order")).exists(), "the killed worker recorded all its answers"


def compare(batch: Batch, root: str) -> None:
    batch.refresh_from_db()
    assert batch.state == BatchState.HANDED_OVER
    booked = books(root)
    orders = list(Order.objects.filter(batch=batch))
    assert len(orders) == batch.size
    for order in orders:
        theirs = booked.get(order.order_no)
        if order.submission in DEAD_SUBMISSIONS:
            assert theirs is None
            continue
        assert theirs
        assert theirs["pushes"] == 1
        assert (order.submission, order.gateway_order_no, order.status) == (
            Submission.ACCEPTED,
            theirs["order_number"],
            theirs["status"],
        )
    accepted = Order.objects.filter(batch=batch, submission=Submission.ACCEPTED)
    assert len(booked) == accepted.count() > 0.9 * batch.size
    assert sum(int(theirs["amount"]) for theirs in booked.values()) == accepted.aggregate(sum=Sum("face_value"))["sum"]
    assert requests.get(f"{root}/sandbox/summary.json", timeout=10).json()["double_spent"] == []


def results(page: Page, url: str, batch: Batch) -> None:
    page.goto(f"{url}/batches/{batch.pk}/")
    rows = downloaded(page, page.locator("main a[download]", has_text="CSV").first)
    assert len(rows) == 1 + batch.size + batch.left_out
    number, state = rows[0].index("订单号"), rows[0].index("状态")
    # The tab marks long numbers as texts.
    told = {row[number].removesuffix("\t"): row[state] for row in rows[1 : 1 + batch.size]}
    with translation.override("zh-hans"):
        true = {order.order_no: str(wording.of_order(order).label) for order in Order.objects.filter(batch=batch)}
    assert told == true
    assert len(set(told.values())) > 1
    left_out = rows[1 + batch.size :]
    assert len(left_out) == batch.left_out == BAD + 1 - CORRECTED
    assert all(row[state].startswith("未下单：") and not row[number] for row in left_out)
    assert no_formula_in(rows)


def no_formula_in(rows: list[list[str]]) -> bool:
    return not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
