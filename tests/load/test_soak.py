"""Two minutes of `benchmarks.soak`, which measures ten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.soak import judge, soak
from dam.settings import DamSettings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw

MINUTES: Final = 2.0
PEAKS_MB: Final = {
    "ingest": 120,
    "orchestrator": 400,
    "gallery": 512,
    "maintenance": 512,
    "bento": 1400,
}


async def test_many_clients_see_no_error_and_lose_nothing(
    radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 upload while 50 look: all is answered and enriched, the queue drains, no service grows too large.

    Whether memory is flat shows only once the caches are full: in the ten minutes of the benchmark.
    """
    environment = radosgw.environment(radosgw.create_bucket()) | {
        "DAM_QUEUE_URL": rabbitmq.new_vhost(),
        "DAM_DATA_DIR": str(tmp_path),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    figures = await soak(DamSettings(), MINUTES)
    met = judge(figures)
    assert met["no_errors"], figures["errors"]
    assert met["nothing_lost"], figures
    assert met["drained"], figures
    peaks = {name: service["peak_mb"] for name, service in figures["memory"].items()}
    assert not {name: peak for name, peak in peaks.items() if peak > PEAKS_MB[name]}
    assert figures["enriched"] == figures["accepted"] >= 200
