"""When a snapshot is due."""

from __future__ import annotations

import pytest

from dam.maintenance.pacing import Backlog, Published, is_due
from dam.maintenance.settings import MaintenanceSettings

SETTINGS = MaintenanceSettings(
    snapshot_interval_s=2,
    snapshot_large_bytes=1000,
    snapshot_growth=0.1,
    snapshot_pause_s=10,
    snapshot_max_lag_s=300,
)
SMALL = Published(rows=1000, size=999, at=0)
LARGE = Published(rows=1000, size=1000, at=0)


@pytest.mark.parametrize(
    ("backlog", "published", "now", "due"),
    [
        pytest.param(None, SMALL, 99, False, id="nothing new"),
        pytest.param(Backlog(None, 0, 0), None, 0, True, id="never published"),
        pytest.param(Backlog(None, 0, 0), LARGE, 0, True, id="nobody counted"),
        pytest.param(Backlog(1, 0, 1.9), SMALL, 1.9, False, id="small, published a moment ago"),
        pytest.param(Backlog(1, 0, 2), SMALL, 2, True, id="small, two seconds later"),
        pytest.param(Backlog(99, 1, 9), LARGE, 10, False, id="large, little change, rows still coming"),
        pytest.param(Backlog(100, 1, 9), LARGE, 10, True, id="large, a tenth changed"),
        pytest.param(Backlog(1, 1, 9), LARGE, 19, True, id="large, a pause"),
        pytest.param(Backlog(1, 1, 300), LARGE, 301, True, id="large, a trickle that never pauses"),
        pytest.param(Backlog(900, 1, 1), LARGE, 1.5, False, id="large, published a moment ago"),
    ],
)
def test_a_snapshot_is_due(
    backlog: Backlog | None, published: Published | None, now: float, *, due: bool
) -> None:
    """At once while small; at growth, after a pause or after a long wait when large; never twice in 2 s."""
    assert is_due(backlog, published, SETTINGS, now) is due
