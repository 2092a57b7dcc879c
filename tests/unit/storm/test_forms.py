"""Forms as staff in a storm see them."""

from tests.chaos.storm.forms import find

PAGE = """
<form method="post" action="/logout/"><input type="hidden" name="csrfmiddlewaretoken" value="1"></form>
<form method="get"><input name="q" value="x"></form>
<form method="post" novalidate>
  <input type="hidden" name="csrfmiddlewaretoken" value="2"><input type="hidden" name="seen" value="17">
  <input type="text" name="mobile" value="138 &amp; 0"><input type="file" name="file">
  <input type="radio" name="speed" value="1" checked><input type="radio" name="speed" value="0">
  <input type="checkbox" name="sure">
  <select name="channel"><option value="a">A<option value="b" selected>B</select>
  <textarea name="note">as
before</textarea>
</form>
<form method="post"><input name="other"></form>
"""


def test_a_form_holds_what_stands_in_its_fields() -> None:
    form = find(PAGE)
    assert form
    assert form.fields == {
        "csrfmiddlewaretoken": "2",
        "seen": "17",
        "mobile": "138 & 0",
        "speed": "1",
        "channel": "b",
        "note": "as\nbefore",
    }
    assert form.names == {*form.fields, "file", "sure"}
    assert form.boxes == {"sure": ["on"]}


def test_a_form_is_known_by_its_fields() -> None:
    form = find(PAGE, "other")
    assert form
    assert form.names == {"other"}
    assert find(PAGE, "seen", "other") is None
