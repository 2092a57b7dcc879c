"""A clerk pastes what customers wrote, sees every line beside what was read in it, and places it."""

import json
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from recharge.choices import Speed
from recharge.models import Batch, BatchDraft, Order
from tests.batches import mobile
from tests.fake_platform import FakePlatform
from tests.oil_cards import active_card
from tests.pages import press, streamed
from tests.people import person

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
CHAT = f"""\
群聊 2026年11月27日
张三 2026/11/27 10:00:00
老板在吗
客服 2026/11/27 10:00:20
在的
张三 2026/11/27 10:01:00
{mobile(1)} 50
王姐 2026/11/27 10:02:10
麻烦帮我充 138 0000 0002 100块钱，谢谢🙏
客服 2026/11/27 10:02:30
好的，马上
李四 2026/11/27 10:03:00
+86 138-0000-0003 ￥50
老妈{mobile(4)}充100
赵六 2026/11/27 10:05:00
[图片]
1、{mobile(5)} 50
2、{mobile(6)} 100
3、{mobile(7)} 200元 慢充
客服 2026/11/27 10:06:00
收到
一共350元，微信转我
赵六 2026/11/27 10:06:40
[转账] 已转
王姐 2026/11/27 10:08:00
再来一个 50，{mobile(8)}
陈总 2026/11/27 10:09:00
公司的：
{mobile(9)}：100
{mobile(10)}：100
客服 2026/11/27 10:10:00
好的，100的两个是吧
陈总 2026/11/27 10:10:30
对
张三 2026/11/27 10:12:00
\u202a{mobile(11)}\u202c 50元话费
客服 2026/11/27 10:12:20
OK，稍等5分钟
孙姐😀 2026/11/27 10:13:00
100 {mobile(12)}
"""


@pytest.fixture
def clerk(client: Client, platform: FakePlatform) -> Client:
    client.force_login(person("clerk"))
    return client


def paste(client: Client, text: str, **fields: object) -> str:
    response = client.post("/batches/new/", {"product": "MOBILE", "text": text, **fields})
    assert response.status_code == 302, response.content.decode()
    return response["Location"]


def read_list(text: str, monkeypatch: pytest.MonkeyPatch, *options: str) -> list[dict[str, object]]:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(text.encode())))
    out = StringIO()
    call_command("read_list", "-", "--json", *options, stdout=out, stderr=StringIO())
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_chat_becomes_a_batch_with_one_click_on_its_preview(clerk: Client) -> None:
    address = paste(clerk, CHAT)
    seen = clerk.get(address).context["seen"]
    assert (seen.good.orders, seen.bad, seen.typed, seen.chatter) == (12, 0, 40, 28)
    assert not Order.objects.exists()
    assert press(clerk, address).status_code == 302
    values = [50, 100, 50, 100, 50, 100, 200, 50, 100, 100, 50, 100]
    assert list(Order.objects.order_by("line").values_list("mobile", "face_value")) == [
        (mobile(number), value) for number, value in enumerate(values, 1)
    ]
    assert Order.objects.get(speed=Speed.SLOW).mobile == mobile(7)


def test_the_preview_has_every_line_beside_what_was_read(clerk: Client) -> None:
    text = clerk.get(
        paste(clerk, f"{mobile(1)},50\n好的\n张三<b> 138 0000 0002 50元\n{mobile(3)} 50 100")
    ).content.decode()
    assert "张三&lt;b&gt; 138 0000 0002 50元" in text
    assert "与充值无关，已跳过" in text
    assert "两个面值：50、100" in text
    assert "1 行为自动识读" in text
    assert "已跳过 1 行" in text


def test_numbers_without_a_value_get_the_one_of_the_form(clerk: Client) -> None:
    address = paste(clerk, f"{mobile(1)}、{mobile(2)}、{mobile(3)}\n{mobile(4)} 50\n{mobile(5)}", value_for_all=100)
    assert clerk.get(address).context["seen"].good.money == 450
    press(clerk, address)
    orders = Order.objects.order_by("line").values_list("line", "mobile", "face_value")
    assert list(orders) == [(n, mobile(n), 50 if n == 4 else 100) for n in range(1, 6)]


def test_without_a_value_for_all_such_numbers_are_refused(clerk: Client) -> None:
    seen = clerk.get(paste(clerk, f"{mobile(1)}、{mobile(2)}")).context["seen"]
    assert (seen.placeable.orders, seen.bad) == (0, 1)


@pytest.mark.parametrize("value", ["30", "-50", "50.5", "500", "x"])
def test_value_for_all_is_one_that_is_sold(clerk: Client, value: str) -> None:
    response = clerk.post("/batches/new/", {"product": "MOBILE", "text": mobile(1), "value_for_all": value})
    assert response.status_code == 200
    assert response.context["form"].errors["value_for_all"]
    assert not BatchDraft.objects.exists()


def test_value_for_all_holds_for_a_sheet_without_values_too(clerk: Client) -> None:
    address = paste(clerk, f"姓名\t手机号\n张三\t{mobile(1)}\n李四\t{mobile(2)}", value_for_all=50)
    assert clerk.get(address).context["seen"].good.money == 100


@pytest.mark.parametrize("text", [f"手机号\t余额\n{mobile(1)}\t50", f"手机号 余额\n{mobile(1)} 50"])
def test_a_header_that_names_something_else_is_asked_about(clerk: Client, text: str) -> None:
    address = paste(clerk, text)
    page = clerk.get(clerk.get(address)["Location"])
    assert page.context["form"]["column_0"].value() == "mobile"
    assert not page.context["form"]["column_1"].value()
    assert clerk.post(address)["Location"] == f"{address}columns/"
    assert not Order.objects.exists()


def test_a_text_about_no_order_is_refused(clerk: Client) -> None:
    response = clerk.post("/batches/new/", {"product": "MOBILE", "text": "老板在吗\n在的"})
    assert "没有一行可以下单" in response.content.decode()


def test_the_same_number_twice_is_suspicious_wherever_it_stands(clerk: Client) -> None:
    address = paste(clerk, f"{mobile(1)}、{mobile(2)}\n{mobile(2)}", value_for_all=50)
    assert clerk.get(address).context["seen"].suspicious.orders == 1
    assert press(clerk, address).status_code == 200
    assert not Batch.objects.exists()


def test_cards_in_a_text_are_not_shown_whole(clerk: Client) -> None:
    card = active_card(person("clerk"))
    number = card.card_number
    grouped = " ".join((number[:4], number[4:8], number[8:12], number[12:16], number[16:]))
    address = paste(clerk, f"王师傅 {grouped} 500元\n{number} 900", product="OIL")
    text = clerk.get(address).content.decode()
    assert clerk.get(address).context["seen"].good.orders == 1
    assert number not in text
    assert grouped not in text
    assert card.last_four in text
    press(clerk, address, leave_out_bad="on")
    batch = Batch.objects.get()
    assert batch.left_out == 1
    assert number not in streamed(clerk.get(f"/batches/{batch.pk}/results.csv")).decode()


def test_a_text_file_is_read_like_pasted_text(clerk: Client) -> None:
    file = BytesIO(f"张三 {mobile(1)} 充50\n".encode("gb18030"))
    file.name = "名单.txt"
    response = clerk.post("/batches/new/", {"product": "MOBILE", "file": file})
    assert clerk.get(response["Location"]).context["seen"].good.money == 50


def test_read_list_prints_what_would_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"张三 2026/11/27 10:00:00\n王姐 {mobile(1)} 充50 慢\n{mobile(2)},100\n{mobile(3)} 50 100\n17012345678 50\n"
    slow, plain, bad, virtual = read_list(text, monkeypatch)
    assert slow == {
        "line": 2,
        "mobile": mobile(1),
        "face_value": 50,
        "speed": "slow",
        "note": "王姐",
        "problem": "",
        "read_freely": True,
    }
    assert (plain["line"], plain["face_value"], plain["speed"], plain["read_freely"]) == (3, 100, "fast", False)
    assert (bad["line"], bad["face_value"], bool(bad["problem"])) == (4, None, True)
    assert (virtual["line"], bool(virtual["problem"])) == (5, True)
    assert not BatchDraft.objects.exists()


def test_read_list_takes_a_value_for_all_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [row["face_value"] for row in read_list(mobile(1), monkeypatch, "--value-for-all", "100")] == [100]
    path = tmp_path / "list.csv"
    path.write_text(f"手机号,面值\n{mobile(1)},50\n")
    out = StringIO()
    call_command("read_list", str(path), "--json", stdout=out)
    assert json.loads(out.getvalue())["face_value"] == 50
    path.write_bytes(b"%PDF")
    with pytest.raises(CommandError):
        call_command("read_list", str(path), stdout=out)


def test_read_list_shows_cards_by_their_last_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    card = active_card(person("clerk"))
    [line] = read_list(f"{card.card_number} 500", monkeypatch, "--product", "oil")
    assert (line["card"], line["face_value"]) == (card.last_four, 500)
    assert card.card_number not in json.dumps(line)
