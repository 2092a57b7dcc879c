"""Forms of pages, as a browser finds them, and how somebody fills them in who means no good."""

from collections import defaultdict
from dataclasses import dataclass, field
from html.parser import HTMLParser

from hypothesis import strategies as st

from .hostile import TEXTS

PASSWORD = "Zhe-shi-mima-2026"
ROLES = ("clerk", "approver", "auditor", "administrator", "outsider", "stranger")
TYPED = (
    *(
        "13700137000",
        "100",
        "50",
        "500",
        "因为客户要求",
        PASSWORD,
        "on",
        "1",
        "0",
        "approve",
        "reject",
        "agree",
        "2026-12-01",
    ),
    *("08:00", "W1", "clerk", "approver", "=1+1", "13700137001 50", "13700137002,100\n13700137003,50"),
)
VALUES = st.sampled_from(TYPED + TEXTS) | st.text(max_size=6)


class Forms(HTMLParser):
    """Collects the forms of a page: where they go, and what their fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, list[str]]]] = []
        self.choices: dict[str, list[str]] = defaultdict(list)
        self._fields: dict[str, list[str]] | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method", "").lower() == "post":
            self._fields = {}
            self.found.append((said.get("action", ""), self._fields))
        elif self._fields is not None and tag in ("input", "textarea", "select", "button"):
            name, value = said.get("name", ""), said.get("value", "")
            self._select = name if tag == "select" else ""
            if name:
                chosen = said.get("type") not in ("radio", "checkbox", "submit") or "checked" in said
                self._fields.setdefault(name, []).extend([value] * (chosen and tag != "button"))
                self.choices[name].append(value)
        elif tag == "option" and self._select:
            self.choices[self._select].append(said.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._fields = None


@dataclass(frozen=True)
class Form:
    """A form of a page, as one role was shown it."""

    name: str
    address: str
    role: str
    fields: dict[str, list[str]] = field(hash=False)
    choices: dict[str, list[str]] = field(hash=False)


@dataclass(frozen=True)
class Post:
    """Which form (by its place among all), sent by whom, with what in which fields."""

    form: int
    role: str
    changes: dict[str, list[str]]
    left_out: frozenset[int]
    as_file: bool


@st.composite
def posts(draw: st.DrawFn, forms: list[Form]) -> Post:
    number = draw(st.integers(0, len(forms) - 1))
    form = forms[number]
    role = draw(st.sampled_from([form.role] * 5 + list(ROLES)))
    changes: dict[str, list[str]] = {}
    names = sorted(form.fields)
    for name in names:
        how = draw(st.sampled_from(["keep", "keep", "choose", "type", "type", "twice"]))
        if how == "choose" and form.choices.get(name):
            changes[name] = [draw(st.sampled_from(form.choices[name]))]
        elif how == "type":
            changes[name] = [draw(VALUES)]
        elif how == "twice":
            changes[name] = [draw(VALUES), draw(VALUES)]
    if draw(st.sampled_from([False] * 4 + [True])):
        changes[
            draw(
                st.sampled_from(
                    ["decision", "order_no", "replaces", "user_id", "placed_by", "status", "\0", "is_superuser"]
                )
            )
        ] = [draw(VALUES)]
    left_out = frozenset(draw(st.lists(st.integers(0, max(0, len(names) - 1)), max_size=1)))
    return Post(number, role, changes, left_out, draw(st.sampled_from([False] * 7 + [True])))
