"""Who may import whom. The arrows point one way, so that each part can be read without those above it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("portal", "recharge", "oilcards")

# From the outside in: a layer imports itself and what stands after it.
LAYERS = [
    {"urls", "admin", "commands", "apps"},
    {"views", "intervention_views", "overview_views", "callback", "tasks", "demo"},
    {"forms", "tables", "filters", "pages", "fragments"},
    {"outcomes", "overview", "metrics"},
    {"services"},
    {"models", "managers"},
    {"choices", "status", "mobile", "numbers"},
]


def modules(package: str) -> list[Path]:
    return [
        path
        for path in sorted((ROOT / package).rglob("*.py"))
        if "migrations" not in path.parts and "__pycache__" not in path.parts
    ]


def imports(path: Path) -> Iterator[str]:
    """Give the full names of all that a module imports, wherever in it."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join((*base, *(node.module or "").split("."))).strip(".")
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def layer_of(name: str) -> int | None:
    """Return the layer of a module of an app, None where it belongs to none."""
    parts = name.split(".")
    if parts[0] not in ("recharge", "oilcards") or len(parts) < 2:
        return None
    return next((number for number, names in enumerate(LAYERS) if parts[1] in names), None)


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("app", ["recharge", "oilcards"])
def test_layers_import_inwards_only(app: str) -> None:
    wrong = [
        f"{dotted(path)} imports {name}"
        for path in modules(app)
        for name in imports(path)
        if (mine := layer_of(dotted(path))) is not None and (theirs := layer_of(name)) is not None and theirs < mine
    ]
    assert not wrong


@pytest.mark.parametrize("app", ["recharge", "oilcards"])
def test_every_module_has_its_layer(app: str) -> None:
    """A new module says where it belongs, here."""
    without = [dotted(path) for path in modules(app) if dotted(path) != app and layer_of(dotted(path)) is None]
    assert not without


def test_oil_cards_know_nothing_of_orders() -> None:
    assert not [dotted(path) for path in modules("oilcards") for name in imports(path) if name.startswith("recharge")]


def test_client_of_the_platform_is_a_library() -> None:
    for path in modules("portal/gateway"):
        foreign = [
            name
            for name in imports(path)
            if name.split(".")[0] in ("django", "celery", "environ", "recharge", "oilcards")
            or (name.startswith("portal") and not name.startswith("portal.gateway") and name != "portal")
        ]
        assert not foreign, dotted(path)


def test_sandbox_imports_nothing_of_the_project_nor_django() -> None:
    for path in modules("portal/sandbox"):
        foreign = [
            name
            for name in imports(path)
            if name.split(".")[0] in ("django", "celery", "recharge", "oilcards")
            or (name.startswith("portal") and not name.startswith("portal.sandbox") and name != "portal")
        ]
        assert not foreign, dotted(path)


def test_only_its_command_imports_the_sandbox() -> None:
    importers = {
        dotted(path)
        for package in PACKAGES
        for path in modules(package)
        if not dotted(path).startswith("portal.sandbox")
        for name in imports(path)
        if name.startswith("portal.sandbox")
    }
    assert importers <= {"portal.management.commands.sandbox"}


@pytest.mark.parametrize("app", ["recharge", "oilcards"])
def test_services_never_see_a_request_a_form_or_a_message(app: str) -> None:
    forbidden = ("django.http", "django.forms", "django.contrib.messages", "django.shortcuts", "django.views")
    for path in modules(app):
        if ".services" in dotted(path):
            assert not [name for name in imports(path) if name.startswith(forbidden)], dotted(path)


def test_orders_are_written_by_services_alone() -> None:
    """`.save(`, `.update(`, `.create(` and their kin on orders stand in services (and in the demo's story book)."""
    verbs = ("save", "update", "create", "bulk_create", "bulk_update", "delete", "get_or_create", "update_or_create")
    for path in modules("recharge"):
        if ".services" in dotted(path) or dotted(path) in ("recharge.models", "recharge.demo"):
            continue
        calls = [
            ast.unparse(node.func)
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs
        ]
        assert not [call for call in calls if "Order" in call or "order" in call], dotted(path)
