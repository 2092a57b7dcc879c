"""Every address of batches with every role, and whatever people put into addresses."""

import re
import uuid

import pytest
from django.test import Client

from recharge.choices import BatchState
from recharge.limits.services import emergency_stop
from recharge.models import Batch, BatchDraft, BatchEvent, Order, OrderEvent
from recharge.orders.services import placing
from tests.addresses import named_patterns
from tests.batches import batch_of, mobile, mobiles, upload
from tests.fake_platform import FakePlatform
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
NEEDS = {
    "batch_list": "recharge.view_batch",
    "batch_detail": "recharge.view_batch",
    "batch_results": "recharge.view_batch",
    "batch_new": "recharge.add_batch",
    "batch_template": "recharge.add_batch",
    "batch_preview": "recharge.add_batch",
    "batch_columns": "recharge.add_batch",
    "batch_lines": "recharge.add_batch",
    "batch_quantities": "recharge.add_batch",
    "batch_judge_again": "recharge.add_batch",
    "batch_numbers": "recharge.add_batch",
    "batch_again": "recharge.add_batch",
    "batch_pause": "recharge.change_batch",
    "batch_resume": "recharge.change_batch",
    "batch_withdraw": "recharge.change_batch",
    "batch_schedule": "recharge.change_batch",
    "batch_skip": "recharge.approve_order",
    "approval_list": "recharge.approve_order",
    "batch_approve": "recharge.approve_order",
    "order_approve": "recharge.approve_order",
}
SHEETS = {"batch_results", "batch_template", "batch_lines"}
POSTS = {"batch_quantities", "batch_judge_again"}
REDIRECTS = {"batch_columns", "batch_numbers", *POSTS}  # of a list whose columns are sure
ROLES = ("clerk", "approver", "auditor", "administrator", "outsider")
DEEDS = ("pause", "resume", "withdraw", "schedule", "skip", "again")


PATTERNS = [
    (name, path)
    for name, path in named_patterns()
    if path.startswith(("batches/", "approvals/")) and name not in ("declaration_decide", "orders_decide")
]


@pytest.fixture
def batch(platform: FakePlatform) -> Batch:
    """A batch, beside a single order."""
    placing.place_mobile_order(placed_by=person("clerk"), mobile=mobile(99), face_value=50)
    return batch_of(*mobiles(3), made_by=person("clerk"))


def draft_of(name: str) -> BatchDraft:
    return upload(person(name), mobiles(2, first=50))


def visit(client: Client, name: str, path: str, batch: Batch, draft: BatchDraft) -> Page:
    single = Order.objects.get(batch=None)
    values = {
        "batch_id": batch.pk,
        "draft_id": draft.pk,
        "order_no": single.order_no,
        "product": "mobile",
        "kind": "csv",
        "which": "bad",
    }
    ask = client.post if name in POSTS else client.get
    return ask("/" + re.sub(r"<\w+:(\w+)>", lambda found: str(values[found[1]]), path))


def everything() -> tuple[list[object], ...]:
    return tuple(list(model.objects.values()) for model in (Batch, Order, BatchEvent, OrderEvent))


def test_every_address_is_accounted_for() -> None:
    assert {name for name, _ in PATTERNS} == set(NEEDS)


@pytest.mark.parametrize("role", ROLES)
def test_every_address_with_every_role(client: Client, batch: Batch, role: str) -> None:
    user, draft = person(role), draft_of(role)
    emergency_stop.stop_everything(actor=person("clerk"), reason="价格不对")
    client.force_login(user)
    for name, path in PATTERNS:
        response, allowed = visit(client, name, path, batch, draft), user.has_perm(NEEDS[name])
        found = 302 if name in REDIRECTS else 200
        assert response.status_code == (found if allowed else 403), name
        if allowed and name not in SHEETS | REDIRECTS:
            assert "价格不对" in response.content.decode(), f"{name} doesn't say that everything is stopped"


def test_stranger_gets_nowhere_but_to_the_sign_in(client: Client, batch: Batch) -> None:
    draft = draft_of("clerk")
    for name, path in PATTERNS:
        response = visit(client, name, path, batch, draft)
        assert response.status_code == 302, name
        assert response["Location"].startswith("/accounts/login/"), name


@pytest.mark.parametrize("role", ["auditor", "outsider"])
def test_who_may_only_look_changes_nothing(client: Client, batch: Batch, role: str) -> None:
    draft = draft_of(role)
    client.force_login(person(role))
    before = everything()
    for action in DEEDS:
        answer = client.post(f"/batches/{batch.pk}/{action}/", {"reason": "x", "nonce": str(uuid.uuid4())})
        assert answer.status_code == 403
    assert client.post(f"/batches/new/{draft.pk}/").status_code == 403
    assert client.post("/batches/new/", {"text": "13800138000,50"}).status_code == 403
    assert everything() == before
    assert BatchDraft.objects.count() == 1


def test_auditor_sees_no_buttons(client: Client, batch: Batch) -> None:
    client.force_login(person("auditor"))
    text = client.get(f"/batches/{batch.pk}/").content.decode()
    assert not [action for action in DEEDS if f"/{action}/" in text]
    assert "/batches/new/" not in client.get("/batches/").content.decode()


@pytest.mark.parametrize("key", ["0", "999999999999999999"])
@pytest.mark.parametrize("end", ["", *(f"{action}/" for action in DEEDS), "results.csv", "results.xlsx"])
def test_unknown_batch_is_our_own_404(client: Client, key: str, end: str) -> None:
    client.force_login(person("administrator"))
    for answer in (client.get(f"/batches/{key}/{end}"), client.post(f"/batches/{key}/{end}", {"reason": "x"})):
        assert answer.status_code in (404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/batches/9999999999999999999/",
        "/batches/-1/",
        "/batches/abc/",
        "/batches/%00/",
        "/batches/new/not-a-uuid/",
        "/batches/?before=abc",
        "/batches/{}/?before=99999999999999999999",
        "/batches/{}/?part=nonsense",
        "/batches/{}/?part=%00",
        "/batches/{}/results.pdf",
        "/orders/export.pdf",
    ],
)
def test_bad_address_is_answered_by_a_page_of_ours(client: Client, batch: Batch, path: str) -> None:
    client.force_login(person("administrator"))
    response = client.get(path.format(batch.pk))
    assert response.status_code in (400, 404)
    assert re.search("[\u4e00-\u9fff]", response.content.decode())


@pytest.mark.parametrize("state", BatchState.values)
def test_batch_page_says_every_state_in_words(client: Client, batch: Batch, state: str) -> None:
    paused = {"brake": "REJECTIONS", "braked_at": batch.made_at} if state == BatchState.PAUSED else {}
    Batch.objects.filter(pk=batch.pk).update(state=state, **paused)
    client.force_login(person("clerk"))
    for path in (f"/batches/{batch.pk}/", "/batches/"):
        text = re.sub(r"<[^>]+>", "", client.get(path).content.decode())
        assert str(BatchState(state).label) in text
        assert state not in text


def test_pages_carry_no_styles_or_scripts_of_their_own(client: Client, batch: Batch) -> None:
    client.force_login(person("clerk"))
    draft = draft_of("clerk")
    for path in ("/batches/", "/batches/new/", f"/batches/new/{draft.pk}/", f"/batches/{batch.pk}/"):
        text = client.get(path).content.decode()
        assert " style=" not in text
        assert not re.search(r"\son\w+=", text)
        assert not re.search(r"<script(?![^>]*src=)", text)
