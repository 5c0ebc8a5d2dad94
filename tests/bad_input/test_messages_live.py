"""A consumer that is fed anything: the real process on a real broker loses nothing, and never stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import aio_pika
import psutil
import pytest
import pytest_asyncio

from dam.catalogue import Catalogue
from dam.errors import InvalidMessageError
from dam.queue import QueueDepth
from dam.queue.amqp import AmqpQueue, topology
from dam.queue.amqp.delivery import REASON
from dam.settings import DamSettings
from dam.store.opening import open_store
from orchestrator.messages import asset_named_in, read_job
from tests.bad_input.letters import Letter, write_letters
from tests.bad_input.messages import ID, draw_bodies
from tests.bad_input.running import LIMITS_MB, peak_mb
from tests.orchestrator.bento import FakeBento
from tests.orchestrator.process import running
from tests.orchestrator.rig import draw, job_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from dam.catalogue import Row
    from tests.services.rabbitmq import RabbitMq

_DRAWN: Final = 200
_GOOD_AFTER: Final = 10
_ENDED_S: Final = 90.0
_LOOKS: Final = 8


@dataclass(frozen=True, slots=True)
class Told:
    """What became of everything; `log` is what the consumer said until it was told to stop."""

    rows: Mapping[str, Row]
    parked: Sequence[tuple[bytes, str]]
    depth: QueueDepth
    peak_mb: float
    status: int
    log: str


@dataclass(frozen=True, slots=True)
class Mail:
    """Everything that is sent: by hand, drawn, and good jobs in between."""

    letters: Sequence[Letter]
    drawn: Sequence[bytes]
    good: Sequence[Letter]

    def in_order(self) -> list[Letter]:
        """Bad ones, and after every few of them a good one."""
        bad = [*self.letters, *(Letter("drawn", body, "") for body in self.drawn)]
        mixed: list[Letter] = []
        for number, letter in enumerate(self.good):
            mixed += [*bad[number * _GOOD_AFTER : (number + 1) * _GOOD_AFTER], letter]
        return mixed


@pytest.fixture(scope="module")
def mail() -> Mail:
    letters, drawn = write_letters(), draw_bodies(_DRAWN)
    good = []
    for number in range((len(letters) + len(drawn)) // _GOOD_AFTER + 1):
        job = job_for(draw(number))
        good.append(Letter("good", job.to_bytes(), "ready", job.asset_id, job.key, draw(number)))
    return Mail(letters, drawn, good)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(
    mail: Mail, rabbitmq: RabbitMq, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Told]:
    """Send everything, wait until nothing is left in the queue, and stop."""
    folder, bento, url = tmp_path_factory.mktemp("messages"), FakeBento(), rabbitmq.new_vhost()
    await bento.start()
    queue = await AmqpQueue.connect(url)
    settings = DamSettings(data_dir=folder, queue_url=url)
    environment = {"DAM_DATA_DIR": str(folder), "DAM_QUEUE_URL": url, "DAM_BENTO_URL": bento.url}
    try:
        await _put_originals(settings, mail)
        with running(environment, folder / "log") as started:
            await asyncio.to_thread(started.wait_for, "intake.opened")
            await _publish(url, mail)
            await _wait_until_empty(queue)
            peak = peak_mb(psutil.Process(started.process.pid))
            log = started.said()
            status = await asyncio.to_thread(started.stop)
        depth = await queue.depth()  # nobody holds anything any more
        yield Told(await _read_rows(settings, mail), await _take_parked(url), depth, peak, status, log)
    finally:
        await queue.close()
        await bento.stop()


async def _put_originals(settings: DamSettings, mail: Mail) -> None:
    store = await open_store(settings)
    for letter in mail.in_order():
        if letter.original:
            await store.put(letter.key, letter.original, content_type="image/jpeg")
    await store.close()


async def _publish(url: str, mail: Mail) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for letter in mail.in_order():
            message = aio_pika.Message(
                letter.body, headers=dict(letter.headers), content_type=letter.content_type, delivery_mode=2
            )
            await channel.default_exchange.publish(message, topology.JOBS)


async def _wait_until_empty(queue: AmqpQueue) -> None:
    """Until nothing has been in it for a while: what is on its way from one queue to another is in none."""
    empty = 0
    async with asyncio.timeout(_ENDED_S):
        while empty < _LOOKS:
            depth = await queue.depth()
            empty = 0 if depth.ready or depth.in_flight or depth.delayed or depth.dead else empty + 1
            await asyncio.sleep(0.2)


async def _read_rows(settings: DamSettings, mail: Mail) -> Mapping[str, Row]:
    catalogue = await Catalogue.open(settings)
    try:
        return await catalogue.current(
            [ID, *(letter.asset_id for letter in mail.in_order() if letter.asset_id)]
        )
    finally:
        await catalogue.close()


async def _take_parked(url: str) -> list[tuple[bytes, str]]:
    """Bodies and reasons."""
    parked = []
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue(topology.PARKED)
        while message := await queue.get(fail=False):
            parked.append((message.body, str(message.headers[REASON])))
            await message.ack()
    return parked


def ended(letter: Letter, told: Told) -> str:
    """As a letter says how it ends."""
    row = told.rows.get(letter.asset_id)
    if row:
        return f"{row.status} {row.error_code or ''}".strip()
    codes = {reason.partition(":")[0] for body, reason in told.parked if body == letter.body}
    return f"parked {' '.join(codes)}"


def test_every_message_ends_as_it_must(mail: Mail, told: Told) -> None:
    """Those made by hand: parked where they name no asset, else in the asset's row, with a code."""
    assert {letter.name: ended(letter, told) for letter in mail.letters} == {
        letter.name: letter.ends for letter in mail.letters
    }


def test_every_good_job_is_done(mail: Mail, told: Told) -> None:
    """Whatever came before and after it."""
    assert len(mail.good) > 20
    assert {ended(letter, told) for letter in mail.good} == {"ready"}


def test_nothing_is_lost(mail: Mail, told: Told) -> None:
    """What is parked is what names no asset, byte for byte and as often as it came, each with its reason."""
    by_hand = [letter.body for letter in mail.letters if letter.ends.startswith("parked")]
    nameless = [body for body in mail.drawn if not names_its_asset(body)]
    assert len(mail.drawn) >= _DRAWN
    assert 0 < len(nameless) < len(mail.drawn)
    assert Counter(body for body, _ in told.parked) == Counter([*by_hand, *nameless])
    assert {reason.partition(": ")[0] for _, reason in told.parked} == {"malformed", "unknown_schema"}
    assert all(reason.partition(": ")[2].startswith("The message ") for _, reason in told.parked)
    assert told.rows[ID].status == "failed"


def names_its_asset(body: bytes) -> bool:
    """Whether a drawn message can end as a row."""
    with contextlib.suppress(InvalidMessageError):
        return bool(read_job(body))
    return asset_named_in(body) is not None


def test_the_consumer_never_stops(told: Told) -> None:
    """One process from the first to the last, that then ends as it should and leaves nothing in the queue."""
    assert told.status == 0
    assert told.log.count('"orchestrator.started"') == 1
    assert told.log.count('"intake.opened"') == 1
    assert "Traceback" not in told.log
    assert told.depth == QueueDepth(0, 0, 0, 0, parked=len(told.parked))
    assert told.peak_mb < LIMITS_MB["orchestrator"]
