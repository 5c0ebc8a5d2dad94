"""`kill -9` of any service at random moments, with two orchestrators: nothing is lost, nothing is doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.pipeline import ORCHESTRATORS, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.outside import Count
    from tests.faults.pipeline import Form, Pipeline


@pytest.mark.parametrize("victim", ["orchestrator", "ingest", "gallery", "bento"])
def test_killed(victim: str, pipeline: Pipeline, form: Form, expect: Callable[[Count], None]) -> None:
    """Killed in the middle of its work and started again, time after time, while pictures come in."""
    with pipeline.uploading(form.pictures, form.per_second(4.0 * form.times)) as uploads:
        for turn in range(max(form.times, 3) if victim == "orchestrator" else form.times):
            name = ORCHESTRATORS[turn % 2] if victim == "orchestrator" else victim
            service = pipeline.services[name]
            pause(0.3, 2.0)
            service.kill()
            service.start()
            service.wait_until_up()
    expect(pipeline.settle(uploads))


def test_two_orchestrators_commit_at_once(
    pipeline: Pipeline, form: Form, expect: Callable[[Count], None]
) -> None:
    """Both write to one table all the time: each asset has one row of each revision, and both took part."""
    logs = [pipeline.services[name].log for name in ORCHESTRATORS]
    before = [log.read_text().count("job.done") for log in logs]
    with pipeline.uploading(form.pictures, form.per_second(60 * form.minutes)) as uploads:
        pass
    expect(pipeline.settle(uploads))
    done = [log.read_text().count("job.done") - so_far for log, so_far in zip(logs, before, strict=True)]
    assert min(done) > 0, done


def test_maintenance_killed_half_way(pipeline: Pipeline, form: Form, expect: Callable[[Count], None]) -> None:
    """Killed while it compacts, vacuums and publishes: the next one goes on from whatever it left."""
    maintain = pipeline.services["maintain"]
    with pipeline.uploading(form.pictures, form.per_second(6.0 * form.times)) as uploads:
        for _ in range(form.times):
            pause(0.5, 6.0)
            maintain.kill()
            maintain.start()
    maintain.wait_until_up()
    expect(pipeline.settle(uploads))
