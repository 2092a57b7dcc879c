"""Breaks one line of the money's path after the other in a copy, and sees whether the tests notice.

    .venv/bin/python -m tests.mutants [NAME ...]

Prints each mutant and how it fared, then the share that was killed; ends with status 1 where one survives.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = [
    f"tests/integration/test_{name}.py"
    for name in ("never_received", "submission", "making_batches", "marks", "replacing", "accounts", "restoring")
]
PATIENCE = 300.0


@dataclass(frozen=True)
class Mutant:
    """What is broken where: `line` becomes `broken`."""

    name: str
    path: str
    line: str
    broken: str


MUTANTS = (
    Mutant(
        "shown_life",
        "recharge/services/checking.py",
        "    if _has_shown_life(order):\n        change.mark(MarkKind.UNEXPECTED)\n    elif control:",
        "    if control:",
    ),
    Mutant(
        "control_any",
        "recharge/services/checking.py",
        "return known if report.gateway_order_no == known.gateway_order_no else None",
        "return known",
    ),
    Mutant(
        "spacing",
        "recharge/services/checking.py",
        "if order.last_missing_at and now - order.last_missing_at < MISSING_SPACING:",
        "if False:",
    ),
    Mutant("again_taken", "recharge/services/batch_making.py", "if rules.target(dead) in taken or", "if"),
    Mutant(
        "lease_two",
        "recharge/services/submission.py",
        "seconds=2 * settings.WIKEYUN_TIMEOUT",
        "seconds=settings.WIKEYUN_TIMEOUT",
    ),
    Mutant(
        "claim_where",
        "recharge/services/transitions.py",
        "Order.objects.filter(*claimable, pk=order_id, submission=Submission.QUEUED)",
        "Order.objects.filter(*claimable, pk=order_id)",
    ),
    Mutant(
        "accept_claims",
        "recharge/services/transitions.py",
        '{"submission": Submission.SUBMITTING, "claims": claimed.claims}',
        '{"submission": Submission.SUBMITTING}',
    ),
    Mutant(
        "chain", "recharge/services/transitions.py", "accounts.pushable(), ORIGINAL_UNSPENT)", "accounts.pushable())"
    ),
    Mutant("guard", "recharge/services/transitions.py", "guard.open_for(generation), ", ""),
    Mutant("account", "recharge/services/transitions.py", "accounts.pushable(), ", ""),
    Mutant(
        "ack_doubt",
        "recharge/services/transitions.py",
        "        self.order.open_marks &= ~bits_of(kinds)\n        self._dealt_with",
        "        self.order.open_marks &= ~bits_of(kinds)\n"
        "        self.order.doubts &= ~bits_of(kinds)\n"
        "        self._dealt_with",
    ),
    Mutant("overtaken", "recharge/services/reports.py", "return order.heard != self.heard", "return False"),
    Mutant("part", "recharge/services/transitions.py", "self.order.part_arrived = True", "pass"),
    Mutant("definite", "recharge/services/answers.py", "or not is_definite_no(error)", ""),
    Mutant("contradicts", "recharge/services/answers.py", "if _contradicts(claimed, receipt) or not", "if not"),
    Mutant(
        "of_current",
        "recharge/services/checking.py",
        ".filter(accounts.of_current())\n    return handed",
        "\n    return handed",
    ),
    Mutant("control_account", "recharge/services/checking.py", "confirmed.filter(accounts.of_current())", "confirmed"),
    Mutant("late_needs_before", "recharge/services/reports.py", "if had_it_before.exists() and", "if"),
    Mutant(
        "refused_asked",
        "recharge/services/answers.py",
        "        order.next_check_at = timezone.now() + REFUSED_DELAY\n",
        "        order.next_check_at = None\n",
    ),
    Mutant(
        "doubt_all_dead",
        "recharge/services/transitions.py",
        "dead.update(doubts=MARK_BITS[MarkKind.RESTORED])",
        "dead.count()",
    ),
    Mutant(
        "approve_chain",
        "recharge/services/approving.py",
        "        if living := living_attempt(order):\n            raise NotReplaceable(explain(living))\n",
        "",
    ),
    Mutant(
        "lease_look",
        "recharge/services/submission.py",
        "or not ours.filter(lease_until__gte=from_now(needed)).exists()",
        "",
    ),
)


def main() -> None:
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or mutant.name in sys.argv[1:]]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(".venv", "node_modules", ".git"))
        if not passes(copy):
            sys.exit("The tests fail with nothing broken.")
        survivors = [mutant.name for mutant in chosen if not is_killed(mutant, copy)]
    print(f"{len(chosen) - len(survivors)} of {len(chosen)} killed")
    sys.exit(1 if survivors else 0)


def is_killed(mutant: Mutant, copy: Path) -> bool:
    """Break the line, run the tests, and mend it again."""
    path = copy / mutant.path
    sound = path.read_text(encoding="utf-8")
    if sound.count(mutant.line) != 1:
        sys.exit(f"{mutant.name}: the line stands {sound.count(mutant.line)} times in {mutant.path}")
    path.write_text(sound.replace(mutant.line, mutant.broken), encoding="utf-8")
    try:
        killed = not passes(copy)
    finally:
        path.write_text(sound, encoding="utf-8")
    print(f"{'killed' if killed else 'SURVIVED'}  {mutant.name}", flush=True)
    return killed


def passes(copy: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(command, cwd=copy, capture_output=True, timeout=PATIENCE, check=False).returncode == 0


if __name__ == "__main__":
    main()
