"""Every bad file ends as the table says, at every door, and a strange name is only a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bad_input.names import NAMES
from tests.bad_input.table import TABLE

if TYPE_CHECKING:
    from tests.bad_input.corpus import Corpus
    from tests.bad_input.outcomes import Case

CASES = [pytest.param(case, id=case.name) for cases in TABLE.values() for case in cases]


@pytest.mark.parametrize("case", CASES)
def test_file_ends_as_the_table_says(corpus: Corpus, case: Case) -> None:
    """Upload, asset, models and search: each variant of the case has the one outcome of its line."""
    told = corpus.cases[case.name]
    assert [one.outcome for one in told] == [case.outcome] * len(told)


@pytest.mark.parametrize("case", CASES)
def test_failed_asset_says_what_to_do(corpus: Corpus, case: Case) -> None:
    """A failed asset has a sentence for people, without a name of anything within the program."""
    for told in corpus.cases[case.name]:
        if told.asset and told.asset["status"] == "failed":
            assert told.asset["error_message"].endswith(".")
            assert "object at 0x" not in told.asset["error_message"]


@pytest.mark.parametrize("what", NAMES)
def test_strange_name_is_only_a_name(corpus: Corpus, what: str) -> None:
    """The asset is ready under a name that is safe to show, and lies under a key of its own id."""
    told = corpus.names[what]
    assert told.asset is not None
    assert told.asset["status"] == "ready"
    assert told.asset["filename"] == NAMES[what][1]
    assert told.asset["r2_key"] == f"assets/{told.asset['id']}.png"


def test_no_two_cases_share_a_name() -> None:
    """Else one of them would not be looked at."""
    names = [case.name for cases in TABLE.values() for case in cases]
    assert len({*names, *NAMES}) == len(names) + len(NAMES)
