"""Who may import whom: left to right only, as docs/decisions.md has it. Every module must have a place."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
APPS = ("portal", "recharge", "oilcards")

# Within an app: a module imports from its own layer and from those below. The masking of `recharge` is about orders,
# that of `oilcards` about bare values, which its models use.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("urls",),
    ("views", "*_views", "callback", "tasks", "admin", "management"),
    ("forms", "*_forms", "tables", "*_tables", "filters", "exports", "pages", "fragments", "templatetags"),
    ("services", "metrics", "overview", "batch_preview", "batch_progress", "demo"),
    ("outcomes", "*_outcomes", "recharge.core.masking", "migrations"),
    ("models",),
    (
        "choices",
        "status",
        "submissions",
        "tally",
        "mobile",
        "numbers",
        "masking",
        "details",
        "fields",
        "apps",
        "__init__",
    ),
)
PRESENTATION = (
    "django.contrib.messages",
    "django.forms",
    "django.http",
    "django.shortcuts",
    "django.template",
    "django.urls.resolvers",
    "django.views",
    "django_filters",
    "django_htmx",
    "django_tables2",
    "celery",
)


def modules(package: str) -> Iterator[tuple[str, str]]:
    """Yield (module, imported name) of every import in a package, those inside functions too."""
    for path in sorted((PROJECT / package).rglob("*.py")):
        parts = path.relative_to(PROJECT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for imported in _imported(node, name, is_package=is_package):
                yield name, imported


def _imported(node: ast.AST, importer: str, *, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            up = node.level - (1 if is_package else 0)
            package = ".".join(importer.split(".")[: len(importer.split(".")) - up])
            base = f"{package}.{base}".rstrip(".")
        yield from (f"{base}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def layer(module: str) -> int:
    """Return the place of an app's module in LAYERS, 0 at the top.

    Raises:
        LookupError: it has none; give it one, deliberately.
    """
    app, part = module.split(".")[:2]
    for number, patterns in enumerate(LAYERS):
        if any(fnmatch(name, pattern) for name in (part, f"{app}.{part}") for pattern in patterns):
            return number
    raise LookupError(f"{module} has no layer")


def layered(app: str) -> set[str]:
    return {path.stem if path.is_file() else path.name for path in (PROJECT / app).iterdir()} - {"__pycache__"}


@pytest.mark.parametrize("app", ["recharge", "oilcards"])
def test_a_module_imports_only_what_stands_below_it(app: str) -> None:
    names = layered(app)
    wrong = [
        f"{module} imports {imported}"
        for module, imported in modules(app)
        if within(imported, app)
        and len(imported.split(".")) > 1
        and imported.split(".")[1] in names
        and module != app
        and layer(module) > layer(imported)
    ]
    assert wrong == []


@pytest.mark.parametrize("app", ["recharge", "oilcards"])
def test_every_module_has_a_layer(app: str) -> None:
    for name in layered(app):
        layer(f"{app}.{name}")


def test_services_know_nothing_of_pages_and_requests() -> None:
    above = ("views", "forms", "tables", "filters", "tasks", "admin", "callback", "pages", "fragments")
    forbidden = [f"{app}.{name}" for app in ("recharge", "oilcards") for name in above]
    forbidden += ["portal.templatetags", "portal.views", "portal.sandbox", *PRESENTATION]
    wrong = [
        f"{module} imports {imported}"
        for module, imported in modules("recharge")
        if within(module, "recharge.services") and within(imported, *forbidden)
    ]
    assert wrong == []


def test_the_cards_know_nothing_of_the_orders() -> None:
    wrong = [f"{module} imports {imported}" for module, imported in modules("oilcards") if within(imported, "recharge")]
    assert [line for line in wrong if "templatetags" not in line] == []


def test_status_is_pure() -> None:
    allowed = ("enum", "django.db.models.IntegerChoices", "django.utils.translation")
    wrong = [imported for module, imported in modules("recharge") if module == "recharge.status"]
    assert [imported for imported in wrong if not within(imported, *allowed)] == []


def test_the_gateway_is_a_library_of_its_own() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imported in modules("portal")
        if within(module, "portal.gateway")
        and within(imported, "django", *APPS)
        and not within(imported, "portal.gateway")
    ]
    assert wrong == []


def test_reading_and_writing_sheets_is_a_library_of_its_own() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imported in modules("portal")
        if within(module, "portal.sheets")
        and within(imported, "django", *APPS)
        and not within(imported, "portal.sheets", "portal.kit.digits", "django.utils.translation")
    ]
    assert wrong == []


def test_the_sandbox_shares_no_code_with_the_project() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imported in modules("portal")
        if within(module, "portal.sandbox")
        and within(imported, "django", *APPS)
        and not within(imported, "portal.sandbox")
    ]
    assert wrong == []


def test_only_its_command_imports_the_sandbox() -> None:
    importers = {
        module
        for app in APPS
        for module, imported in modules(app)
        if within(imported, "portal.sandbox") and not within(module, "portal.sandbox")
    }
    assert importers == {"portal.management.commands.sandbox"}


def test_only_the_platform_module_makes_clients() -> None:
    importers = {
        module
        for app in APPS
        for module, imported in modules(app)
        if imported in ("portal.gateway.Client", "portal.gateway.client.Client")
        and not within(module, "portal.gateway")
    }
    assert importers == {"portal.platform"}


def test_only_submission_sends_an_order() -> None:
    callers = [
        path.relative_to(PROJECT).as_posix()
        for app in ("recharge", "oilcards")
        for path in (PROJECT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("products.push", "push")
    ]
    assert callers == ["recharge/fulfilment/services/submission.py"]
