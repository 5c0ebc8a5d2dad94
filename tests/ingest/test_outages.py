"""Bucket or queue down, at the start or in between: said plainly, and completed by repeating."""

from __future__ import annotations

import pytest

from dam.errors import QueueUnavailableError, SettingsError, StoreUnavailableError
from ingest_api.app import create_app, open_early
from ingest_api.settings import IngestSettings
from tests.ingest.pictures import picture
from tests.ingest.serving import Service, running


async def test_queue_down_keeps_the_original_and_a_repeat_completes_it(service: Service) -> None:
    """503 with `Retry-After` while the queue is down; the same upload later makes one job."""
    service.queue.down = "The broker at 127.0.0.1 refuses connections."
    refused = await service.upload(("a.png", picture(1)))
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["code"] == "queue_unavailable"
    assert "The broker at 127.0.0.1 refuses connections." in refused.json()["detail"]
    [original] = service.keys("assets/")
    service.queue.down = None
    [file] = (await service.upload(("a.png", picture(1)))).json()["files"]
    assert (file["r2_key"], file["status"]) == (original, "pending")
    assert service.keys("assets/") == [original]
    assert [job.key for job in service.jobs()] == [original]


async def test_store_down_leaves_nothing(service: Service) -> None:
    """503 with the reason while the bucket is down; nothing is queued."""
    service.store.down = "The disk is full."
    response = await service.upload(("a.png", picture(1)))
    assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert "The disk is full." in response.json()["detail"]
    assert service.jobs() == []
    service.store.down = None
    assert (await service.upload(("a.png", picture(1)))).status_code == 202


async def test_lost_answer_of_a_claim_is_no_duplicate(service: Service) -> None:
    """A claim that was made though its answer was lost is ours: the upload is new, with one job."""
    service.store.lost_puts.append("after")
    [file] = (await service.upload(("a.png", picture(1)))).json()["files"]
    assert "duplicate_of" not in file
    assert [job.asset_id for job in service.jobs()] == [file["id"]]
    assert service.keys("assets/") == [file["r2_key"]]


async def test_unknown_claim_keeps_the_original(service: Service) -> None:
    """Where nobody knows whether the claim stands, the original stays too: reconcile settles it."""
    service.store.lost_puts.extend(["before"] * 50)
    response = await service.upload(("a.png", picture(1)))
    assert response.status_code == 503
    assert len(service.keys("assets/")) == 1


async def test_what_may_pass_later_leads(service: Service) -> None:
    """With a file refused for good and one for now, the whole answer invites to try again."""
    service.queue.down = "It is down."
    response = await service.upload(("a.txt", b"words"), ("b.png", picture(1)))
    assert response.status_code == 503
    codes = [file["error"]["code"] for file in response.json()["files"]]
    assert codes == ["unsupported_type", "queue_unavailable"]


async def test_readiness_names_what_is_down(service: Service) -> None:
    """`/readyz` is 200 while both answer, and else 503 with the one that is down and its reason."""
    assert (await service.client.get("/readyz")).status_code == 200
    service.queue.down = "No route to the broker."
    response = await service.client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "not ready",
        "dependencies": {"store": "up", "queue": "down: No route to the broker."},
    }
    assert (await service.client.get("/healthz")).status_code == 200


async def test_starts_while_everything_is_down_and_recovers_by_itself() -> None:
    """With bucket and queue down at the start the service runs, says so, and works once they are back."""
    errors: list[Exception] = [
        StoreUnavailableError("The bucket does not answer."),
        QueueUnavailableError("The broker does not answer."),
    ]
    async with running(open_errors=[*errors, errors[0], *errors]) as service:
        dependencies = (await service.client.get("/readyz")).json()["dependencies"]
        assert set(dependencies) == {"store", "queue"}
        assert all(state.startswith("down: The b") for state in dependencies.values())
        assert (await service.client.get("/readyz")).status_code == 200
        assert (await service.upload(("a.png", picture(1)))).status_code == 202


async def test_wrong_settings_stop_the_start() -> None:
    """A URL that no adapter knows is not something to wait for."""
    app = create_app(IngestSettings(store_url="ftp://nowhere"))
    with pytest.raises(SettingsError, match="ftp://nowhere"):
        await open_early(app, "127.0.0.1")


async def test_store_and_queue_are_closed_at_the_stop() -> None:
    """Stopping the service releases both."""
    async with running() as service:
        await service.upload(("a.png", picture(1)))
    assert service.store.closed
    assert service.queue.closed
