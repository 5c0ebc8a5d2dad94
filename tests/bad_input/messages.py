"""Messages that nobody should publish, drawn at random: the same ones every time but for an id."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dam import keys
from dam.ids import new_id
from dam.jobs import EnrichJob

ID: Final = new_id()
"""Of the drawn messages: nothing of it is in the bucket."""
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
CHANGED: Final = st.dictionaries(st.sampled_from([*WHOLE, "new_field"]), VALUES, min_size=1, max_size=4).map(
    lambda fields: json.dumps(WHOLE | fields).encode()
)
CUT: Final = st.integers(0, len(JOB.to_bytes())).map(lambda at: JOB.to_bytes()[:at])
REPLACED: Final = st.tuples(st.integers(0, len(JOB.to_bytes()) - 1), st.binary(max_size=4)).map(
    lambda change: JOB.to_bytes()[: change[0]] + change[1] + JOB.to_bytes()[change[0] + 1 :]
)

BODIES: Final = (
    st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()) | CHANGED | CUT | REPLACED
)


def draw_bodies(count: int) -> list[bytes]:
    """About so many bodies."""
    drawn: list[bytes] = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(body=BODIES)
    def keep(body: bytes) -> None:
        drawn.append(body)

    keep()
    return drawn
