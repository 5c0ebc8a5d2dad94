"""Any message at all: a job that is safe to work on, or a reason with a code; never another error."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from dam import keys
from dam.errors import InvalidMessageError
from dam.ids import is_id, new_id
from dam.jobs import EnrichJob
from orchestrator.messages import asset_named_in, change_id_of, read_job

ID: Final = new_id()
JOB: Final = EnrichJob(
    asset_id=ID,
    key=keys.original(ID, "png"),
    filename="boat.png",
    mime_type="image/png",
    size_bytes=7,
    sha256="0" * 64,
    received_at=datetime(2026, 5, 4, tzinfo=UTC),
    actor="person:anna",
)
WHOLE: Final[dict[str, Any]] = json.loads(JOB.to_bytes())
VALUES: Final = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20)
    | st.sampled_from([ID, "../../metadata", "\ud800", 10**400, -1, JOB.key, "assets/", "enrich", 1, 2]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NOT_OURS: Final = VALUES.map(lambda value: json.dumps(value).encode())
CHANGED: Final = st.dictionaries(st.sampled_from([*WHOLE, "new_field"]), VALUES, min_size=1, max_size=4).map(
    lambda fields: json.dumps(WHOLE | fields).encode()
)
CUT: Final = st.integers(0, len(JOB.to_bytes())).map(lambda at: JOB.to_bytes()[:at])
REPLACED: Final = st.tuples(st.integers(0, len(JOB.to_bytes()) - 1), st.binary(max_size=4)).map(
    lambda change: JOB.to_bytes()[: change[0]] + change[1] + JOB.to_bytes()[change[0] + 1 :]
)


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(
    body=st.binary(max_size=200)
    | VALUES.map(lambda value: json.dumps(value).encode())
    | CHANGED
    | CUT
    | REPLACED
)
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
