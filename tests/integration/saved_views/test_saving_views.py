"""Lists as people want them again: filters and columns under a name, for oneself or for everybody."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from recharge.choices import ListPage
from recharge.core.errors import NotSavable, NotYours
from recharge.models import Order, SavedView
from recharge.orders.services import placing
from recharge.saved_views import services
from tests.fake_platform import FakePlatform
from tests.pages import Page
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
OPEN = {"submission": ["QUEUED"]}


@pytest.fixture
def clerk(client: Client) -> Client:
    client.force_login(person("clerk"))
    return client


@pytest.fixture
def order(platform: FakePlatform) -> Order:
    return placing.place_mobile_order(placed_by=person("clerk"), mobile="13800138000", face_value=50, note="Li")


def text_of(response: Page) -> str:
    return response.content.decode()


def saved(
    name: str = "Mine", *, by: str = "clerk", shared: bool = False, query: dict[str, list[str]] = OPEN
) -> SavedView:
    return services.save(page=ListPage.ORDERS, name=name, query=query, shared=shared, actor=person(by))


def as_user(name: str) -> Client:
    client = Client()
    client.force_login(person(name))
    return client


# --- saving and opening


def test_what_is_shown_is_saved_and_opened_again(clerk: Client, order: Order) -> None:
    address = "/orders/?submission=WITHDRAWN&period=today&columns=state&columns=note"
    link = re.search(r'href="(/views/orders/new/\?[^"]*)"', text_of(clerk.get(address)))
    assert link
    page = text_of(clerk.get(link[1].replace("&amp;", "&")))
    for words in ("已撤回", "今天", "状态、备注"):
        assert words in page
    response = clerk.post(link[1].replace("&amp;", "&"), {"name": "撤回的"})
    view = SavedView.objects.get()
    assert view.query == {"submission": ["WITHDRAWN"], "period": ["today"], "columns": ["state", "note"]}
    assert (view.owner, view.shared, view.name) == (person("clerk"), False, "撤回的")
    assert parse_qs(urlsplit(response["Location"]).query) == {"view": [str(view.pk)], **view.query}
    page = text_of(clerk.get(response["Location"]))
    assert re.search(rf'aria-current="page" data-view="{view.pk}">撤回的</a>', page)
    assert order.order_no not in page
    assert "另存为新视图" not in page, "nothing was changed since"


def test_the_desk_has_views_of_its_own(clerk: Client, order: Order) -> None:
    clerk.post("/views/desk/new/?kind=CONFLICT&person=me", {"name": "我的矛盾单"})
    assert SavedView.objects.get().query == {"kind": ["CONFLICT"], "person": ["me"]}
    assert "我的矛盾单" in text_of(clerk.get("/attention/"))
    assert "我的矛盾单" not in text_of(clerk.get("/orders/"))


def test_a_view_that_was_changed_is_updated_or_saved_as_another(clerk: Client) -> None:
    view = saved()
    page = text_of(clerk.get(f"/orders/?view={view.pk}&submission=QUEUED&product=OIL"))
    assert f"/views/{view.pk}/change/?submission=QUEUED&amp;product=OIL" in page
    assert "/views/orders/new/?submission=QUEUED&amp;product=OIL" in page
    assert "Mine *" in page
    page = text_of(clerk.get(f"/views/{view.pk}/change/?product=OIL"))
    assert page.index("更新前") < page.index("排队中") < page.index("更新后") < page.index("油卡充值")
    clerk.post(f"/views/{view.pk}/change/?product=OIL", {"name": "Mine"})
    view.refresh_from_db()
    assert (view.name, view.query) == ("Mine", {"product": ["OIL"]})


def test_a_view_is_renamed_and_deleted(clerk: Client) -> None:
    view = saved()
    clerk.post(f"/views/{view.pk}/change/", {"name": "Other"})
    view.refresh_from_db()
    assert (view.name, view.query) == ("Other", OPEN)
    assert "删除这个视图" in text_of(clerk.get(f"/views/{view.pk}/delete/"))
    assert SavedView.objects.exists(), "looking deletes nothing"
    assert clerk.post(f"/views/{view.pk}/delete/")["Location"] == "/orders/"
    assert not SavedView.objects.exists()


# --- what is never saved


@pytest.mark.parametrize("page", ["orders", "desk"])
def test_what_was_searched_for_is_never_saved_and_the_page_says_so(clerk: Client, page: str) -> None:
    listed = "/orders/" if page == "orders" else "/attention/"
    shown = text_of(clerk.get(f"{listed}?q=13800138000&product=OIL&before=9&choose=all&view=7&x=13800138000"))
    link = re.search(rf'href="(/views/{page}/new/\?[^"]*)"', shown)
    assert link
    assert link[1] == f"/views/{page}/new/?product=OIL"
    assert "可能是手机号或卡号" in text_of(clerk.get(link[1]))
    clerk.post(f"/views/{page}/new/?q=13800138000&product=OIL&x=13800138000", {"name": "x"})
    assert SavedView.objects.get().query == {"product": ["OIL"]}


@pytest.mark.parametrize("name", ["13800138000", "老李 138 0013 8000", "138-0013-8000", "9030 1234 5678 9012 345"])
def test_a_name_holds_no_number(clerk: Client, name: str) -> None:
    assert "不能包含手机号" in text_of(clerk.post("/views/orders/new/?product=OIL", {"name": name}))
    assert not SavedView.objects.exists()


def test_a_name_may_hold_dates(clerk: Client) -> None:
    clerk.post("/views/orders/new/?product=OIL", {"name": "2026-11-01 到 2026-11-30"})
    assert SavedView.objects.exists()


def test_a_number_typed_where_a_batch_belongs_is_not_saved(clerk: Client) -> None:
    assert "不能包含手机号" in text_of(clerk.post("/views/orders/new/?batch=13800138000", {"name": "x"}))
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("query", ["", "?columns=nothing", "?q=1", "?period_of=settled"])
def test_nothing_is_not_saved(clerk: Client, query: str) -> None:
    assert "没有可保存的内容" in text_of(clerk.post(f"/views/orders/new/{query}", {"name": "x"}))
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("address", ["/views/orders/new/?status=99", "/views/none/new/?status=2", "/views/9/change/"])
def test_what_makes_no_sense_is_not_there(clerk: Client, address: str) -> None:
    assert clerk.post(address, {"name": "x"}).status_code == 404
    assert not SavedView.objects.exists()


def test_the_usual_columns_need_no_saving(clerk: Client) -> None:
    usual = "&".join(f"columns={name}" for name in ("state", "target", "face_value", "placed_at", "placed_by"))
    clerk.post(f"/views/orders/new/?product=OIL&{usual}", {"name": "x"})
    assert SavedView.objects.get().query == {"product": ["OIL"]}


def test_a_name_is_given_once(clerk: Client) -> None:
    saved()
    assert "已有同名视图" in text_of(clerk.post("/views/orders/new/?product=OIL", {"name": "Mine"}))
    saved(by="auditor")
    saved("Ours", by="administrator", shared=True)
    with pytest.raises(NotSavable):
        saved("Ours", by="administrator")
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedView.objects.create(page="orders", name="Ours", owner=person("clerk"), shared=True, query=OPEN)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedView.objects.create(page="books", name="x", owner=person("clerk"), query=OPEN)


def test_nobody_keeps_more_than_anybody_finds_his_way_in(clerk: Client) -> None:
    for number in range(services.MAX_VIEWS):
        saved(f"{number}")
    assert "请先删除一个" in text_of(clerk.post("/views/orders/new/?product=OIL", {"name": "one more"}))


# --- whose they are


def test_a_personal_view_is_nobody_elses(clerk: Client) -> None:
    view = saved(by="administrator")
    for path in ("change", "delete"):
        assert clerk.get(f"/views/{view.pk}/{path}/").status_code == 404
        assert clerk.post(f"/views/{view.pk}/{path}/", {"name": "x"}).status_code == 404
    assert f'data-view="{view.pk}"' not in text_of(clerk.get(f"/orders/?view={view.pk}"))
    for name in ("clerk", "outsider"):
        with pytest.raises(NotYours):
            services.delete(view_id=view.pk, actor=person(name))


def test_a_shared_view_is_seen_by_all_and_changed_by_administrators(clerk: Client) -> None:
    as_user("administrator").post("/views/orders/new/?product=OIL", {"name": "油卡", "shared": "on"})
    view = SavedView.objects.get()
    assert view.shared
    for name in ("clerk", "auditor", "approver"):
        page = text_of(as_user(name).get(f"/orders/?view={view.pk}&product=OIL"))
        assert f'data-view="{view.pk}"' in page
        assert f"/views/{view.pk}/" not in page, "neither rename nor delete"
        for path in ("change", "delete"):
            assert as_user(name).post(f"/views/{view.pk}/{path}/", {"name": "x"}).status_code == 404
    other = User.objects.create_user("second")
    other.groups.set(person("administrator").groups.all())
    services.change(view_id=view.pk, name="油卡单", shared=True, query=None, actor=other)
    view.refresh_from_db()
    assert (view.name, view.owner) == ("油卡单", person("administrator"))


def test_who_may_not_share_shares_nothing(clerk: Client) -> None:
    assert 'name="shared"' not in text_of(clerk.get("/views/orders/new/?product=OIL"))
    clerk.post("/views/orders/new/?product=OIL", {"name": "x", "shared": "on"})
    view = SavedView.objects.get()
    assert not view.shared
    with pytest.raises(NotYours):
        services.change(view_id=view.pk, name="x", shared=True, query=None, actor=person("clerk"))
    with pytest.raises(NotYours):
        saved("y", shared=True)


# --- columns


def header(page: str) -> list[str]:
    return re.findall(r'<th scope="col">([^<]*)</th>', page)


def test_columns_are_chosen(clerk: Client, order: Order) -> None:
    usual = ["选择", "状态", "订单号", "手机号/卡号", "面值", "下单时间", "下单人"]
    assert header(text_of(clerk.get("/orders/"))) == usual
    page = text_of(clerk.get("/orders/?columns=note&columns=settled_at&columns=nonsense"))
    assert header(page) == ["选择", "订单号", "完结时间", "备注"]
    assert "Li" in page
    assert header(text_of(clerk.get("/orders/?columns=nonsense"))) == usual
    assert '<input type="hidden" name="columns" value="note">' in page, "the filters keep them"


def test_columns_on_demand_hide_numbers_as_everywhere(client: Client, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(note="call 13900139001", placed_by=person("administrator"))
    client.force_login(person("clerk"))
    page = text_of(client.get("/orders/?columns=note&columns=batch&columns=cost_price&columns=gateway_order_no"))
    assert "13900139001" not in page
    assert "139****9001" in page


def test_the_desk_chooses_columns_too(clerk: Client, order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(open_marks=64)
    page = text_of(clerk.get("/attention/?columns=attention"))
    assert header(page) == ["选择", "订单号", "怎么办"]
    Order.objects.filter(pk=order.pk).update(open_marks=0)
