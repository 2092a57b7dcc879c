"""Words of the platform, of files and of people: shown and written as text, wherever they turn up."""

import csv
import io
import re
import zipfile
from typing import Any
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from portal.gateway import OrderReport
from portal.kit.append_only import open_to_change
from recharge.choices import Submission
from recharge.fulfilment.services import reports, submission
from recharge.models import Batch, BatchDraft, Order, OrderEvent
from recharge.orders.services import placing
from tests.addresses import named_patterns
from tests.batches import batch_of, mobile, mobiles, upload
from tests.everything import address_of, one_of_everything
from tests.fake_platform import FakePlatform
from tests.integration.fuzz.canaries import APP_SECRET, FIELD_KEY, Lines, held, watched
from tests.oil_cards import active_card
from tests.pages import Page, streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>{{7*7}}\u202e21\u0000&lt;"
ALIVE = re.compile(r"<script>alert|<img src=x|\"'><|\x00")
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "  =1", "=HYPERLINK('http://x')")
STARTERS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
NAMES = (
    "a\r\nSet-Cookie: x=1.csv",
    'a"; filename="evil.exe.csv',
    "../../../etc/passwd.csv",
    "C:\\boot.ini\\a.csv",
    "\u202evsc.exe.csv",
    "<img src=x onerror=alert(2)>.csv",
    "a\0.csv",
    "=1+1.csv",
    "x" * 5000 + ".csv",
    "充值名单.csv",
)


@pytest.fixture
def administrator(client: Client) -> Client:
    client.force_login(person("administrator"))
    return client


def spoken_of(platform: FakePlatform, words: str) -> Order:
    """Return an order of which the platform said such words, in every way that it has."""
    clerk = person("clerk")
    said = words.replace("\0", " ")
    order = placing.place_mobile_order(placed_by=clerk, mobile="13800138000", face_value=50, note=said)
    submission.submit_order(order_id=order.pk)
    report = OrderReport(order.order_no, "W1", 3, "", "", None, None, None, None, said, f"raw {words}")
    reports.receive_callback(order_no=order.order_no, report=report)
    reports.keep_unreadable_callback(order_no=order.order_no, raw=f"unreadable {words}")
    refused = placing.place_mobile_order(placed_by=clerk, mobile="13800138001", face_value=50)
    platform.behaviour = "reject"
    submission.submit_order(order_id=refused.pk)
    Order.objects.filter(pk=refused.pk).update(refusal=said)
    with open_to_change(connection):
        OrderEvent.objects.filter(order=refused, note__contains="1001").update(note=f"1001 {said}")
    order.refresh_from_db()
    return order


@pytest.mark.books_broken("trail")
def test_no_page_takes_words_for_anything_but_text(administrator: Client, platform: FakePlatform) -> None:
    order = spoken_of(platform, HOSTILE)
    clerk = person("clerk")
    ids = one_of_everything(made_by=clerk, owner=person("administrator"), order=order, card=active_card(clerk))
    Batch.objects.update(file_name="<script>alert(1)</script>.csv", reason="<script>alert(1)</script>")
    BatchDraft.objects.update(file_name="<script>alert(1)</script>.csv")
    refused = Order.objects.get(submission=Submission.REJECTED)
    shown = 0
    for name, path in named_patterns():
        for number in (order.order_no, refused.order_no) if "order_no:order_no" in path else ("",):
            response = administrator.get(address_of(name, path, {**ids, "order_no": number or order.order_no}))
            if response.streaming or "html" not in response["Content-Type"]:
                continue
            text = response.content.decode()
            assert not ALIVE.search(text), (name, ALIVE.search(text))
            assert "49\u202e" not in text, f"{name} computes what it shows"
            shown += "&lt;script&gt;alert(1)" in text
    assert shown >= 6, "the words are hardly shown anywhere"
    page = administrator.get(f"/orders/{order.order_no}/").content.decode()
    assert "[U+202E]" in page, "a mark of direction turns what is read"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_sheet_that_is_taken_away_holds_a_formula(administrator: Client, platform: FakePlatform, kind: str) -> None:
    owner = person("administrator")
    first = spoken_of(platform, "")
    ids = one_of_everything(made_by=person("clerk"), owner=owner, order=first, card=active_card(owner))
    batch = batch_of(*mobiles(len(FORMULAS), first=100), made_by=owner)
    bad = (f'"{text}",50,,"{text}"' for text in FORMULAS)
    ids |= {"batch_id": batch.pk, "draft_id": upload(owner, [f"{mobile(1)},50", *bad]).pk}
    for order, formula in zip(Order.objects.order_by("-id"), FORMULAS, strict=False):
        said = {"note": formula, "reason": formula, "refusal": formula, "duplicate_reason": formula}
        Order.objects.filter(pk=order.pk).update(**said)
    owner.first_name = owner.last_name = "=1+1"
    owner.save()
    sheets = [(name, path.replace("<sheet:kind>", kind)) for name, path in named_patterns() if "<sheet:kind>" in path]
    assert {"order_export", "batch_results", "batch_lines", "batch_template", "claim_sheet"} <= {
        name for name, _ in sheets
    }
    quoted = 0
    for name, path in sheets:
        response = administrator.get(address_of(name, path, ids))
        assert response.status_code == 200, name
        assert re.fullmatch(r'attachment; filename="[a-z0-9-]+\.(csv|xlsx)"', response["Content-Disposition"]), name
        content = streamed(response)
        if kind == "xlsx":
            book = zipfile.ZipFile(io.BytesIO(content))
            parts = {part: book.read(part).decode() for part in book.namelist() if part.endswith((".xml", ".rels"))}
            for part, text in parts.items():
                assert not re.search(r"<f[ >/]|<hyperlink|TargetMode=\"External\"|ddeLink", text), (name, part)
            continue
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")):
            for cell in row:
                assert not cell.startswith(STARTERS) or re.fullmatch(r"[+-]?\d+(\.\d+)?", cell), (name, cell)
                quoted += cell.startswith("'")
    assert kind == "xlsx" or quoted > len(FORMULAS)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_by_any_name_is_only_a_file(administrator: Client, platform: FakePlatform, name: str) -> None:
    """The name comes as some client writes it, not as a browser would."""
    written = name.encode()
    body = (
        b'--b\r\nContent-Disposition: form-data; name="product"\r\n\r\nMOBILE\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + written + b'"\r\n'
        b"Content-Type: text/csv\r\n\r\n" + "手机号,面值\n13800138000,50\n".encode() + b"\r\n--b--\r\n"
    )
    responses = [administrator.post("/batches/new/", body, content_type="multipart/form-data; boundary=b")]
    responses.append(administrator.post("/batches/new/", {"product": "MOBILE", "file": SimpleUploadedFile(name, b"x")}))
    for response in responses:
        assert response.status_code in (200, 302, 400)
        assert "x=1" not in str(response.cookies)
        assert "Set-Cookie: x" not in str(response.headers)
    for draft in BatchDraft.objects.all():
        assert "/" not in draft.file_name
        assert "\0" not in draft.file_name
        assert len(draft.file_name) <= 200
        page = administrator.get(f"/batches/new/{draft.pk}/")
        assert not ALIVE.search(page.content.decode())


@pytest.mark.parametrize("query", ["?view=1%0d%0aSet-Cookie:%20x=1", "?next=//evil.example", "?q=%0d%0aX:%20y"])
@pytest.mark.parametrize("address", ["/orders/", "/accounts/login/", "/orders/export.csv", "/search/"])
def test_no_address_writes_a_header_or_leads_away(administrator: Client, address: str, query: str) -> None:
    for response in (administrator.get(address + query), administrator.post(address + query, {"q": "\r\nX: y"})):
        said = str(response.headers)
        assert "Set-Cookie: x" not in said
        assert "\\r\\nX" not in said
        assert "evil.example" not in response.headers.get("Location", "").partition("?")[0]


@pytest.mark.parametrize("away", ["//evil.example", "https://evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_signing_in_leads_nowhere_else(client: Client, away: str) -> None:
    user = person("clerk")
    user.set_password("Zhe-shi-mima-2026")
    user.save()
    said = {"username": "clerk", "password": "Zhe-shi-mima-2026", "next": away}
    response = client.post(f"/accounts/login/?next={quote(away)}", said)
    assert (response.status_code, response["Location"]) == (302, "/")
    for address in ("/language/setlang/", "/orders/bulk/"):
        answer = client.post(address, {"next": away, "back": away, "language": "en", "action": "ask"})
        assert "evil.example" not in answer.headers.get("Location", "") + answer.content.decode()


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "a b", "x\0y", ""])
def test_another_name_is_answered_by_nothing_of_ours(client: Client, settings: Any, host: str) -> None:
    settings.ALLOWED_HOSTS = ["portal.example.com"]
    for address in ("/accounts/login/", "/orders/", "/callback/x/"):
        response = client.get(address, headers={"host": host})
        assert response.status_code in (400, 405)
        assert "evil" not in response.content.decode()
    response = client.get("/orders/", headers={"host": "portal.example.com", "x-forwarded-host": "evil.example"})
    assert response["Location"] == "/accounts/login/?next=/orders/"


def test_a_fault_shows_and_logs_nothing_that_it_worked_on(
    client: Client, platform: FakePlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the page nor the log, in which the traceback stands, holds what was sent or what a variable held."""
    with watched() as lines:
        response = broken(client, monkeypatch, {"mobile": "13800138000", "password": "geheim-4711", "note": "私事"})
        logged = taken(lines)
    assert response.status_code == 500
    text = response.content.decode()
    for place in (text, logged):
        assert not held(place, "13800138000", "geheim-4711", "私事", "local-variable-of-it"), place[:200]
    assert "RuntimeError" in logged, "the fault isn't in the log"
    assert "RuntimeError" not in text
    assert APP_SECRET not in text + logged
    assert FIELD_KEY not in text + logged


def broken(client: Client, monkeypatch: pytest.MonkeyPatch, said: dict[str, str]) -> Page:
    def fail(*arguments: object, **named: object) -> None:
        secret = "local-variable-of-it"
        raise RuntimeError(len(secret))

    monkeypatch.setattr("recharge.orders.views._place", fail, raising=False)
    monkeypatch.setattr("recharge.orders.services.placing.place_mobile_order", fail)
    monkeypatch.setattr("recharge.orders.views.render", fail)
    client.force_login(person("clerk"))
    client.raise_request_exception = False
    return client.post("/orders/new/", {**said, "face_value": "50"})


def taken(lines: Lines) -> str:
    return lines.taken()
