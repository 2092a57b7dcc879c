"""Digests that were noted elsewhere tell that the end of the chain was cut off, however well it was made anew."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from portal import backups
from portal.kit.append_only import open_to_change
from recharge.models import Seal
from recharge.trail.services import noted, sealing, verifying
from tests.integration.trail.histories import bend, sealed

pytestmark = pytest.mark.django_db
UNKNOWN = "0" * 64


def digests() -> list[str]:
    return list(Seal.objects.order_by("pk").values_list("digest", flat=True))


def forge_the_end() -> None:
    """Take the newest link off, bend a row that it held, and let the portal seal that."""
    newest = Seal.objects.latest("pk")
    with open_to_change(connection, Seal):
        Seal.objects.filter(pk=newest.pk).delete()
    bend(newest.last, note="bent")
    while sealing.seal_what_is_due():
        pass


def verify(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("verify_trail", *arguments, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_an_end_that_was_forged_fits_in_itself_and_differs_from_what_was_noted() -> None:
    sealed(25)
    *kept, lost = digests()
    forge_the_end()
    assert list(verifying.verify_all()) == []
    assert noted.missing([*kept, lost]) == [lost]

    assert verify()[0] == 0
    status, said = verify("--digest", kept[0], "--digest", lost)
    assert status == 1
    assert f"No link adds up to {lost}, which was noted" in said
    assert kept[0] not in said


def test_what_is_in_the_chain_is_said_to_be() -> None:
    sealed(25)
    status, said = verify(*[f"--digest={digest.upper()}" for digest in digests()])
    assert status == 0
    assert f"All {len(digests())} noted digests are in the chain." in said


def test_lines_of_the_log_are_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed(25)
    *kept, lost = digests()
    forge_the_end()
    lines = [
        json.dumps({"event": "history_sealed", "table": "recharge.portalevent", "digest": kept[0]}),
        f"2026-11-29T18:51:20Z [info     ] history_sealed      [recharge] digest={kept[1]} last=20 rows=10",
        f"web-1 | {json.dumps({'event': 'history_sealed', 'digest': lost})}",
        json.dumps({"event": "exported", "sha256": UNKNOWN}),
        f"3 links; the newest, 3, adds up to {lost}.",
        lost,
        "",
    ]
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines)))
    status, said = verify("--digest", "-")
    assert status == 1
    assert said.count(lost) == 1
    assert UNKNOWN not in said


def test_a_backup_says_a_digest_that_it_holds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sealed(25)
    monkeypatch.setattr(backups, "_copy_sqlite", lambda target: None)
    monkeypatch.setattr(backups, "_dump_postgresql", lambda target: None)
    out = io.StringIO()
    call_command("backup", "--to", str(tmp_path), stdout=out)
    assert list(noted.digests_in(out.getvalue().splitlines())) == digests()[-1:]


def test_many_that_are_missing_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(f"{n:064x}" for n in range(1200))))
    status, said = verify("--digest", "-")
    assert status == 1
    assert said.count("No link adds up to") == 20
    assert "1,200 of 1,200 noted digests are not in the chain." in said


@pytest.mark.parametrize("given", ["abc", "g" * 64, "0" * 63, "0" * 65])
def test_what_is_no_digest_is_refused(given: str) -> None:
    with pytest.raises(CommandError, match="There is no digest in"):
        verify("--digest", given)


def test_a_log_without_digests_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("nothing\n"))
    with pytest.raises(CommandError, match="There is no digest in"):
        verify("--digest", "-")
