"""Icons: whatever a page names is in the sprite, and nothing else is carried along."""

import re
from pathlib import Path

from portal.web.icons import ICONS

ROOT = Path(__file__).resolve().parent.parent.parent
IN_TEMPLATE = re.compile(r'{% icon "([a-z0-9-]+)"')
OF_ACTION = re.compile(r'icon="([a-z0-9-]+)"')


def named() -> set[str]:
    names = set()
    for path in (ROOT / "templates").rglob("*.html"):
        names |= set(IN_TEMPLATE.findall(path.read_text()))
    for path in ROOT.glob("recharge/*/actions.py"):
        names |= set(OF_ACTION.findall(path.read_text()))
    return names


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    assert named() <= set(ICONS)


def test_every_icon_of_a_state_is_in_the_sprite() -> None:
    from recharge.core import wording

    shown = {outcome.icon for outcome in [*wording.OF_SUBMISSION.values(), *wording.OF_STATUS.values()]}
    assert shown <= set(ICONS)
