"""Who may import whom: from the roof down only, as docs/architecture.md has it. Every module must have a place."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
APPS = ("portal", "recharge", "oilcards")

# The rooms of `recharge`, from the ground up. A room imports what is its own, and from all floors below.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("choices", "status", "submissions", "apps"),
    ("models",),
    ("core",),
    ("numbers", "readings", "trail"),
    ("limits",),
    ("fulfilment",),
    ("orders",),
    ("batches",),
    ("approvals", "attention", "emergency_stop", "platform", "books", "operations", "refunds", "search"),
    ("overview", "alerts", "saved_views", "teaching", "audit", "staff"),
    ("metrics", "demo", "templatetags", "tasks", "urls", "admin", "migrations"),
)
GROUND_OF_PORTAL = (
    *("kit", "web", "gateway", "sheets", "accounts", "platform", "celery", "metrics", "logs", "environment"),
    *("generations", "backups", "__init__"),
)
"""What of `portal` the apps stand on; the rest is the roof, which stands on them."""

# The furniture of a room, and of `oilcards`: a module imports from its own layer and from those below.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("urls",),
    ("views", "*_views", "bulk", "actions", "*_actions", "tasks", "admin", "*_admin", "templatetags"),
    ("forms", "tables", "filters", "exports", "converters"),
    ("services", "demo"),
    ("wording", "oilcards.availability", "migrations"),
    ("models",),
    ("choices", "numbers", "masking", "details", "apps", "__init__"),
)
MAX_MODULES = 15
"""In one folder; more of them nobody takes in at a glance."""
SERVICES_OF_ACCOUNTS = (
    *("portal.accounts.services", "portal.accounts.tries", "portal.accounts.models"),
    "portal.accounts.outside.services",
)
"""What of the sign-ins knows no request."""
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


@cache
def modules(package: str) -> list[tuple[str, str]]:
    """Return (module, imported name) of every import in a package, those inside functions too."""
    return list(_modules(package))


def _modules(package: str) -> Iterator[tuple[str, str]]:
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


def place(name: str, order: tuple[tuple[str, ...], ...]) -> int:
    """Return the number of the group that a name is in.

    Raises:
        LookupError: it is in none; give it a place, deliberately.
    """
    for number, patterns in enumerate(order):
        if any(fnmatch(name, pattern) for pattern in patterns):
            return number
    raise LookupError(f"{name} has no place")


def part(module: str, depth: int) -> str:
    """Return a part of a module's name, "__init__" where it is the package itself."""
    parts = module.split(".")
    return parts[depth] if len(parts) > depth else "__init__"


def existing() -> set[str]:
    """Return the names of all modules of the product."""
    found = set()
    for app in APPS:
        for path in (PROJECT / app).rglob("*.py"):
            found.add(".".join(path.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"))
    return found


def graph() -> dict[str, set[str]]:
    """Return which module imports which, those inside functions too."""
    known = existing()
    imports: dict[str, set[str]] = {name: set() for name in known}
    for app in APPS:
        for module, imported in modules(app):
            while imported and imported not in known:
                imported = imported.rpartition(".")[0]
            if imported and imported != module:
                imports[module].add(imported)
    return imports


def room(name: str) -> str:
    return part(name, 1)


def test_a_room_stands_on_those_below_it() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imports in graph().items()
        for imported in imports
        if within(module, "recharge") and within(imported, "recharge")
        if "recharge" not in (module, imported) and room(module) != room(imported)
        if place(room(imported), FLOORS) >= place(room(module), FLOORS) > 0
        if place(room(module), FLOORS) < len(FLOORS) - 1 or place(room(imported), FLOORS) < len(FLOORS) - 1
    ]
    assert wrong == []


def test_every_room_has_a_floor() -> None:
    for path in (PROJECT / "recharge").iterdir():
        if path.name not in ("__init__.py", "__pycache__"):
            place(path.stem, FLOORS)


def test_a_module_of_a_room_imports_only_what_stands_below_it() -> None:
    """The core is no room: everything in it is ground."""
    rooms = [name for floor in FLOORS[3:-1] for name in floor]
    wrong = [
        f"{module} imports {imported}"
        for module, imports in graph().items()
        for imported in imports
        for home in [*(f"recharge.{name}" for name in rooms), "oilcards"]
        if within(module, home) and within(imported, home) and home not in (module, imported)
        if place(part(module, home.count(".") + 1), LAYERS) > place(part(imported, home.count(".") + 1), LAYERS)
    ]
    assert wrong == []


def test_pages_are_made_of_services_not_services_of_pages() -> None:
    """Across rooms, too: a service imports no page, form or table of any room below it."""
    wrong = [
        f"{module} imports {imported}"
        for module, imports in graph().items()
        for imported in imports
        if ".services" in module and within(imported, "recharge", "oilcards") and imported.count(".") > 1
        if part(imported, 2) in ("views", "actions", "forms", "tables", "filters", "exports", "urls")
    ]
    assert wrong == []


def test_the_apps_stand_on_the_ground_of_the_portal_not_on_its_roof() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, imports in graph().items()
        for imported in imports
        if not within(module, "portal") and within(imported, "portal") and part(imported, 1) not in GROUND_OF_PORTAL
    ]
    wrong += [
        f"{module} imports {imported}"
        for module, imports in graph().items()
        for imported in imports
        if within(module, "portal") and part(module, 1) in GROUND_OF_PORTAL and within(imported, "recharge", "oilcards")
    ]
    assert wrong == []


def test_there_is_no_circle() -> None:
    """Take away again and again what imports nothing that is left: what remains goes round."""
    left = graph()
    while True:
        ends = {module for module, imports in left.items() if not imports & left.keys()}
        if not ends:
            break
        left = {module: imports for module, imports in left.items() if module not in ends}
    assert sorted(left) == []


def test_no_folder_is_too_full_to_be_taken_in() -> None:
    """Migrations come one after the other for ever."""
    full = {
        folder.relative_to(PROJECT).as_posix(): len(
            [path for path in folder.glob("*.py") if not path.name.startswith("__")]
        )
        for app in APPS
        for folder in [PROJECT / app, *(PROJECT / app).rglob("*/")]
        if folder.name != "migrations"
    }
    assert {name: count for name, count in full.items() if count > MAX_MODULES} == {}


def test_services_know_nothing_of_pages_and_requests() -> None:
    forbidden = (
        "portal.web",
        "portal.accounts",
        "portal.templatetags",
        "portal.views",
        "portal.sandbox",
        *PRESENTATION,
    )
    wrong = [
        f"{module} imports {imported}"
        for app in ("recharge", "oilcards")
        for module, imported in modules(app)
        if ".services" in module and within(imported, *forbidden) and not within(imported, *SERVICES_OF_ACCOUNTS)
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
        and not within(imported, "portal.sheets", "portal.kit.digits", "portal.kit.lists", "django.utils.translation")
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
