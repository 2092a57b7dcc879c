"""Containers: they serve every queue, get every secret as a file, and their image holds none."""

import re
from pathlib import Path

from django.conf import settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")


def test_each_queue_has_its_worker() -> None:
    assert sorted(re.findall(r"QUEUE: (\w+)", COMPOSE)) == sorted(queue.name for queue in settings.CELERY_TASK_QUEUES)


def test_each_secret_in_a_file_is_a_setting() -> None:
    read = (ROOT / "portal/settings.py").read_text(encoding="utf-8")
    named = set(re.findall(r"^    ([A-Z_]+)_FILE:", COMPOSE, re.MULTILINE))
    assert named == {"DATABASE_URL", "FIELD_ENCRYPTION_KEYS", "SECRET_KEY", "WIKEYUN_APP_SECRET"}
    assert [name for name in named if f'"{name}"' not in read] == []


def test_each_secret_is_made_or_asked_for() -> None:
    declared = set(re.findall(r"\{file: secrets/(\w+)\}", COMPOSE))
    mounted = set(re.findall(r"/run/secrets/(\w+)", COMPOSE))
    made = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert declared == mounted
    assert [name for name in declared if not re.search(rf"(keep|test -e) {name}\b", made)] == []


def test_nothing_gets_into_the_image_but_what_is_named() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    first, *others = [rule for rule in rules if not rule.startswith("#")]
    named = {rule.removeprefix("!") for rule in others if rule.startswith("!")}
    assert first == "*"
    assert named == {
        "Makefile",
        "manage.py",
        "oilcards",
        "package-lock.json",
        "package.json",
        "portal",
        "recharge",
        "requirements-node.lock",
        "requirements.lock",
        "templates",
    }
