"""Forms of a page as a browser knows them: what stands in their fields, before anything is typed."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Form:
    """A form that is sent by POST."""

    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    """All of its fields, those too that hold nothing yet."""
    boxes: dict[str, list[str]] = field(default_factory=dict)
    """What its checkboxes stand for, by name."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._choice = ""
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            is_post = found.get("method", "").lower() == "post"
            self._form = Form(found.get("action", "")) if is_post else None
            if self._form:
                self.forms.append(self._form)
        elif self._form and tag in ("input", "select", "textarea") and found.get("name"):
            self._form.names.add(found["name"])
            self._take(self._form, tag, found)
        elif self._form and tag == "option" and self._choice and "selected" in found:
            self._form.fields[self._choice] = found.get("value", "")

    def _take(self, form: Form, tag: str, found: dict[str, str]) -> None:
        if tag == "select":
            self._choice = found["name"]
        elif tag == "textarea":
            form.fields[found["name"]] = ""
            self._text = found["name"]
        elif found.get("type") in ("radio", "checkbox"):
            if found["type"] == "checkbox":
                form.boxes.setdefault(found["name"], []).append(found.get("value", "on"))
            if "checked" in found:
                form.fields[found["name"]] = found.get("value", "on")
        elif found.get("type") not in ("file", "submit", "button"):
            form.fields[found["name"]] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._form and self._text:
            self._form.fields[self._text] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._choice = ""
        elif tag == "textarea":
            self._text = ""


def find(page: str, *names: str) -> Form | None:
    """Return the page's first form that is sent to the page itself and has all these fields; None where none is."""
    reader = _Reader()
    reader.feed(page)
    own = (form for form in reader.forms if not form.action)
    return next((form for form in own if form.names.issuperset(names)), None)
