"""Each line that a mutant breaks stands in the code, once, so that breaking it means what its name says."""

import pytest

from tests.mutants import MUTANTS, ROOT, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_a_mutants_line_stands_once(mutant: Mutant) -> None:
    assert (ROOT / mutant.path).read_text().count(mutant.line) == 1


def test_names_of_mutants_are_told_apart() -> None:
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
