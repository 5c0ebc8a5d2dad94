"""Tries what we ask of a broker, on queues of its own that it removes; what a crash leaves expires by itself.

The doctor calls `try_broker`. It must never make, change or empty the queues that the services use.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from aio_pika import DeliveryMode, Message
from aiormq.exceptions import ChannelNotFoundEntity, ChannelPreconditionFailed, ConnectionNotImplemented

from dam.ids import new_id
from dam.queue.amqp import topology
from dam.queue.amqp.link import Link, lost_or_late_alike, parse_url, place_of, told_as_unavailable

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

_ANSWER_S: Final = 5.0
_POLL_S: Final = 0.05
_DELAY_MS: Final = 100
_EXPIRES_MS: Final = 60_000


@dataclass(slots=True)
class Trial:
    """`no_quorum`: why our quorum queues are refused, None where they are not.

    `classic` and `foreign` are queues of the services that are there in another form than ours.
    """

    place: str
    no_quorum: str | None = None
    delays: bool = False
    dead_letters: bool = False
    classic: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


async def try_broker(url: str) -> Trial:
    """Connect, declare, publish with a confirm, delay, reject, and look at the queues that are there.

    Raises:
        SettingsError: the URL is none.
        QueueUnavailableError: no answer, wrong credentials, no such vhost, or a right that is missing.
    """
    parsed = parse_url(url)
    trial = Trial(place_of(parsed))
    link = Link(parsed, "doctor")
    try:
        with told_as_unavailable(trial.place, "Connecting to"):
            await link.connection()
        with told_as_unavailable(trial.place, "Trying the queues of"):
            try:
                await _run(link, trial)
            except ConnectionNotImplemented as error:  # a broker without quorum queues hangs up
                trial.no_quorum = str(error)
                await _run(link, trial)
    finally:
        await link.close()
    return trial


async def _run(link: Link, trial: Trial) -> None:
    name = f"dam.doctor.{new_id()}"
    dead, jobs, delay = (f"{name}.{part}" for part in ("dead", "jobs", "delay"))
    arguments: dict[str, dict[str, Any]] = {
        dead: {},
        jobs: {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead},
        delay: {
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": jobs,
            "x-message-ttl": _DELAY_MS,
        },
    }
    try:
        async with asyncio.timeout(_ANSWER_S):
            for queue, plain in arguments.items():
                await _declare(link, trial, queue, {**plain, "x-expires": _EXPIRES_MS})
            channel = await _open(link)
            message = Message(b"{}", delivery_mode=DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, delay, mandatory=True)
        trial.delays = (message_back := await _await_message(channel, jobs)) is not None
        if message_back is not None:
            await message_back.reject(requeue=False)
            trial.dead_letters = await _await_message(channel, dead) is not None
        async with asyncio.timeout(_ANSWER_S):
            await _look_at_ours(link, trial)
    finally:
        await _remove(link, tuple(arguments))


async def _open(link: Link) -> AbstractChannel:
    return await (await link.connection()).channel(on_return_raises=True)


async def _declare(link: Link, trial: Trial, name: str, plain: dict[str, Any]) -> None:
    """As a quorum queue, or as a classic one where these are refused."""
    if trial.no_quorum is None:
        refusal = await _refusal(link, name, topology.as_quorum(plain))
        if refusal is None:
            return
        trial.no_quorum = refusal
    channel = await _open(link)
    await channel.declare_queue(name, durable=True, arguments=plain)
    await channel.close()


async def _refusal(link: Link, name: str, arguments: dict[str, Any]) -> str | None:
    """Why the broker has no such queue to give; a refusal closes the channel."""
    channel = await _open(link)
    try:
        await channel.declare_queue(name, durable=True, arguments=arguments)
    except ChannelPreconditionFailed as error:
        return str(error)
    await channel.close()
    return None


async def _await_message(channel: AbstractChannel, name: str) -> AbstractIncomingMessage | None:
    """The first message of a queue, or None once it took too long."""
    queue: AbstractQueue = await channel.get_queue(name, ensure=False)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _ANSWER_S
    while loop.time() < deadline:
        message = await queue.get(fail=False, timeout=_ANSWER_S)
        if message is not None:
            return message
        await asyncio.sleep(_POLL_S)
    return None


async def _look_at_ours(link: Link, trial: Trial) -> None:
    """Which queues of the services are there in another form; those that are missing are not made."""
    for name, plain in topology.arguments().items():
        channel = await _open(link)
        try:
            await channel.declare_queue(name, passive=True)
        except ChannelNotFoundEntity:
            continue
        await channel.close()
        if trial.no_quorum is None:
            if await _refusal(link, name, topology.as_quorum(plain)) is None:
                continue
            kind = trial.classic
        else:
            kind = []
        if await _refusal(link, name, plain) is not None:
            kind = trial.foreign
        kind.append(name)


async def _remove(link: Link, names: tuple[str, ...]) -> None:
    with lost_or_late_alike():
        async with asyncio.timeout(_ANSWER_S):
            channel = await _open(link)
            for name in names:
                await channel.queue_delete(name)
            await channel.close()
