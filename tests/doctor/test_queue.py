"""What the doctor says of a real RabbitMQ, healthy and broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aio_pika

from dam.queue.opening import open_queue
from tests.store.opening import settings_of

if TYPE_CHECKING:
    from pamqp.common import FieldTable

    from tests.doctor.examining import Patient
    from tests.services.rabbitmq import RabbitMq


def queues_of(broker: RabbitMq, url: str) -> list[str]:
    """Names of all queues in a vhost."""
    return broker.ctl("list_queues", "--no-table-headers", "-p", url.rpartition("/")[2], "name").split()


async def test_healthy_broker(patient: Patient, rabbitmq: RabbitMq) -> None:
    """Everything that we ask of a broker is tried, and no queue is left or made."""
    url = rabbitmq.new_vhost()
    examined = await patient.examine(queue_url=url)
    examined.assert_well("queue")
    assert sorted(examined.verdicts("queue")) == [
        "queue",
        "queue.dead_letters",
        "queue.delays",
        "queue.quorum",
    ]
    assert queues_of(rabbitmq, url) == []


async def test_broker_in_use(patient: Patient, rabbitmq: RabbitMq) -> None:
    """With the services' own queues and a job in them, nothing is touched."""
    url = rabbitmq.new_vhost()
    queue = await open_queue(settings_of({"DAM_QUEUE_URL": url}))
    await queue.publish(b"{}")
    examined = await patient.examine(queue_url=url)
    examined.assert_well("queue")
    assert (await queue.depth()).ready == 1
    await queue.close()


async def test_wrong_password(patient: Patient, rabbitmq: RabbitMq) -> None:
    """Refused credentials are told as such, without them."""
    examined = await patient.examine(queue_url=rabbitmq.url.replace(":guest@", ":hunter2@"))
    assert examined.verdicts("queue") == {"queue": "broken"}
    assert "password was refused" in examined.told("queue")


async def test_no_such_vhost(patient: Patient, rabbitmq: RabbitMq) -> None:
    """A vhost that is not there is told as such."""
    examined = await patient.examine(queue_url=f"{rabbitmq.url}no-such-vhost")
    assert examined.verdicts("queue") == {"queue": "broken"}
    assert "no such vhost" in examined.told("queue")


async def test_stopped_and_frozen_broker(patient: Patient, rabbitmq: RabbitMq) -> None:
    """A broker that is down is told at once; one that never answers within its time."""
    url = rabbitmq.new_vhost()
    rabbitmq.pause()
    try:
        frozen = await patient.examine(queue_url=url, doctor_timeout_s=1.0)
    finally:
        rabbitmq.resume()
    assert frozen.verdicts("queue") == {"queue": "broken"}
    assert "did not end within 1 s" in frozen.told("queue")
    rabbitmq.kill()
    try:
        stopped = await patient.examine(queue_url=url)
    finally:
        rabbitmq.restart()
    assert stopped.verdicts("queue") == {"queue": "broken"}
    assert "Connecting to" in stopped.told("queue")


async def test_queues_of_other_kinds(patient: Patient, rabbitmq: RabbitMq) -> None:
    """A queue under our name that is none of ours is broken; our own as a classic one is a warning."""
    foreign, classic = rabbitmq.new_vhost(), rabbitmq.new_vhost()
    other: FieldTable = {"x-max-length": 7}
    for url, arguments in ((foreign, other), (classic, None)):
        connection = await aio_pika.connect(url)
        channel = await connection.channel()
        await channel.declare_queue("dam.parked", durable=True, arguments=arguments)
        await connection.close()
    assert (await patient.examine(queue_url=foreign)).verdicts("queue")["queue.kind"] == "broken"
    assert (await patient.examine(queue_url=classic)).verdicts("queue")["queue.kind"] == "warning"


async def test_url_that_is_none(patient: Patient) -> None:
    """A URL of no known kind, or of no host, is told without itself: it holds a password."""
    for url in ("http://u:hunter2@host/", "amqp://"):
        examined = await patient.examine(queue_url=url)
        assert examined.verdicts("queue") == {"queue": "broken"}
        assert "amqp(s)://user:password@host" in examined.told("queue")
