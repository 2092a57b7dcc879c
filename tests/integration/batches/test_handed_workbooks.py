"""The workbooks handed over, from their upload to what could be placed; and one of another program."""

import runpy
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recharge.models import Order
from tests.batches import mobile
from tests.fake_platform import FakePlatform
from tests.pages import press
from tests.people import person
from tests.unit.sheets.test_foreign_workbooks import xls

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent")]
MAKER = Path(__file__).resolve().parents[4] / "shared/cases/make_workbooks.py"


@pytest.fixture
def clerk(client: Client, platform: FakePlatform) -> Client:
    client.force_login(person("clerk"))
    return client


def upload(client: Client, content: bytes, name: str) -> str:
    response = client.post("/batches/new/", {"product": "MOBILE", "file": SimpleUploadedFile(name, content)})
    return response["Location"]


@pytest.mark.skipif(not MAKER.exists(), reason="the cases handed over lie beside the project, if anywhere")
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("number-not-whole", [3], [2]),
        ("glued-in-text", [], [2, 3]),
        ("two-row-header", [3], []),
        ("quantity", [3], [2]),
        ("full-width-header", [2], []),
        ("value-and-amount", None, None),
        ("no-header", None, None),
    ],
)
def test_workbooks_handed_over(
    clerk: Client, tmp_path: Path, name: str, good: list[int] | None, bad: list[int] | None
) -> None:
    runpy.run_path(str(MAKER))["main"](tmp_path)
    response = clerk.get(upload(clerk, (tmp_path / f"{name}.xlsx").read_bytes(), f"{name}.xlsx"))
    if good is None:
        page = clerk.get(response["Location"])
        assert page.context["form"]["column_0"].value() == "mobile"
        assert page.context["form"]["column_1"].value() == ("face_value" if name == "no-header" else "")
        return
    seen = response.context["seen"]
    assert (seen.good.orders, [line.line for line in seen.bad_lines]) == (len(good), bad)


def test_a_workbook_of_wps_goes_through(clerk: Client) -> None:
    content = xls([["姓名", "手机号码", "面额（元）"], ["张三", int(mobile(1)), 50], ["李四", mobile(2), "100元"]])
    address = upload(clerk, content, "名单.et")
    page = clerk.get(address)
    assert "隐藏的行" in page.content.decode()
    press(clerk, address)
    assert list(Order.objects.order_by("line").values_list("mobile", "face_value")) == [
        (mobile(1), 50),
        (mobile(2), 100),
    ]


def test_a_workbook_under_the_name_of_a_text_is_read_and_says_so(clerk: Client) -> None:
    address = upload(clerk, xls([["手机号", "面值"], [mobile(1), 50], [mobile(2), ""]]), "名单.txt")
    seen = clerk.get(address).context["seen"]
    assert (seen.good.orders, "XLS" in seen.notice) == (1, True)
    assert [line.words for line in seen.bad_lines] == [["这一行没有面值。"]]
