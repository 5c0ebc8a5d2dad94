"""A real broker: what waits in it, and what is said while it is down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dam.queue.amqp import AmqpQueue
from dam.status import Watch, open_parts
from tests.status.standing import look, settings_of, standing

if TYPE_CHECKING:
    from pathlib import Path

    from tests.services.rabbitmq import RabbitMq


async def test_jobs_in_a_broker(rabbitmq: RabbitMq, tmp_path: Path) -> None:
    """The broker counts what waits; what is in flight the orchestrator says, where it answers."""
    url = rabbitmq.new_vhost()
    queue = await AmqpQueue.connect(url)
    for number in range(3):
        await queue.publish(b"%d" % number)
    await queue.close()
    numbers = "# TYPE dam_orchestrator_in_flight gauge\ndam_orchestrator_in_flight 4.0\n"
    async with standing(metrics=numbers) as orchestrator:
        settings = settings_of(tmp_path, queue_url=url, orchestrator_url=orchestrator)
        reading = (await look(settings))["queue"]
    assert (reading.state, reading.facts["waiting"], reading.facts["in_flight"]) == ("ready", 3, 4)
    reading = (await look(settings_of(tmp_path, queue_url=url)))["queue"]
    assert reading.facts["in_flight"] is None
    assert "3 waiting, ? in flight" in reading.told


async def test_a_vhost_in_which_nothing_was_declared(rabbitmq: RabbitMq, tmp_path: Path) -> None:
    """Looking declares no queue: with which arguments is the services' to say."""
    url = rabbitmq.new_vhost()
    assert (await look(settings_of(tmp_path, queue_url=url)))["queue"].facts["waiting"] == 0
    vhost = url.rpartition("/")[2]
    queues = await asyncio.to_thread(rabbitmq.ctl, "list_queues", "-p", vhost, "name", "--no-table-headers")
    assert queues.strip() == ""


async def test_a_broker_that_goes_down_and_comes_back(rabbitmq: RabbitMq, tmp_path: Path) -> None:
    """A sentence in its row, without the password; the next look finds it again."""
    settings = settings_of(tmp_path, queue_url=rabbitmq.new_vhost())
    async with open_parts(settings) as parts:
        watch = Watch({"queue": parts["queue"]}, settings.status_timeout_s, settings.secrets())
        states = []
        await watch.look()
        states.append(watch.readings()["queue"].state.value)
        await asyncio.to_thread(rabbitmq.stop_app)
        try:
            await watch.look()
            down = watch.readings()["queue"]
        finally:
            await asyncio.to_thread(rabbitmq.start_app)
        await watch.look()
        states.append(watch.readings()["queue"].state.value)
    assert states == ["ready", "ready"]
    assert down.state == "down"
    assert "guest" not in down.told
    assert "127.0.0.1" in down.told
