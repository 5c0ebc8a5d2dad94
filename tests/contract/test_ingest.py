"""The upload API answers what its description says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import schemathesis

from tests.contract.conforming import SETTINGS

if TYPE_CHECKING:
    from tests.contract.conforming import Answers

schema: Final = schemathesis.pytest.from_fixture("ingest_schema")


@schema.parametrize()
@SETTINGS
def test_every_answer_is_described(case: schemathesis.Case[Any], answers: Answers) -> None:
    """Whatever is sent, files of every kind in forms among it: an answer that the description has."""
    answers.check(case)
