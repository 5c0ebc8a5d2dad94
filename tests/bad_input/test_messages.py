"""Any message at all: a job that is safe to work on, or a reason with a code; never another error."""

from __future__ import annotations

import json
import uuid

from hypothesis import given, settings

from dam.errors import InvalidMessageError
from dam.ids import is_id
from orchestrator.messages import asset_named_in, change_id_of, read_job
from tests.bad_input.messages import BODIES, JOB


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(body=BODIES)
def test_any_message_is_a_job_or_has_a_reason(body: bytes) -> None:
    """A job's id and key are ours and fit; else the code is known, and what is still told can be written."""
    try:
        job = read_job(body)
    except InvalidMessageError as error:
        assert error.code in {"malformed", "unknown_schema"}  # noqa: PT017 - not every message is refused
        str(error).encode()
        named = asset_named_in(body)
        if named:
            assert is_id(named[0])
            assert all(value.encode() for value in named[1].values() if value)
        uuid.UUID(change_id_of(body))  # raises where it is none
    else:
        assert is_id(job.asset_id)
        assert job.key.startswith(f"assets/{job.asset_id}.")
        json.loads(job.to_bytes())


def test_the_unchanged_message_is_a_job() -> None:
    """Else the changes above would prove nothing."""
    assert read_job(JOB.to_bytes()) == JOB
