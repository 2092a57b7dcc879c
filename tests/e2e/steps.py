"""What a person does again and again with oil cards and their orders."""

import re

from playwright.sync_api import Page

CARD_PAGE = re.compile(r"/oil-cards/\d+/$")
ORDER_PAGE = re.compile(r"/orders/\d{20}/$")


def add(page: Page, portal: str, number: str) -> None:
    page.goto(f"{portal}/oil-cards/new/")
    page.get_by_text("中石化", exact=True).click()
    page.fill("[name=card_number]", number)
    page.fill("[name=holder_name]", "欧阳震华")
    page.fill("[name=holder_phone]", "138 0013 8765")
    page.fill("[name=national_id]", "11010519491231002x")
    page.locator("form.card button[type=submit]").click()


def send(page: Page) -> None:
    """Press the button of the form that is open."""
    page.locator("form.card .card-footer button[type=submit]").click()


def follow(page: Page, name: str) -> None:
    """Take the link of that name among the actions that a page offers."""
    page.locator(".card-footer").get_by_role("link", name=name, exact=True).click()
