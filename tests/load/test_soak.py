"""Two minutes of `benchmarks.soak`, which measures ten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.soak import judge, soak
from dam.settings import DamSettings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.services.rabbitmq import RabbitMq
    from tests.services.radosgw import Radosgw

MINUTES = 2.0


async def test_many_clients_see_no_error_and_lose_nothing(
    radosgw: Radosgw, rabbitmq: RabbitMq, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 upload while 50 look: all is answered, all is enriched, the queue drains, memory stays flat."""
    environment = radosgw.environment(radosgw.create_bucket()) | {
        "DAM_QUEUE_URL": rabbitmq.new_vhost(),
        "DAM_DATA_DIR": str(tmp_path),
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    figures = await soak(DamSettings(), MINUTES)
    assert all(judge(figures).values()), figures
    assert figures["enriched"] == figures["accepted"] >= 200
