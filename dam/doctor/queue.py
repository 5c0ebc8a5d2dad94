"""The job queue: the SQLite file, or the broker and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.doctor.findings import Finding, Tell, Verdict
from dam.doctor.places import can_be_made
from dam.queue.opening import file_of, open_queue
from dam.threads import run_apart

if TYPE_CHECKING:
    from pathlib import Path

    from dam.doctor.settings import DoctorSettings
    from dam.queue.amqp.trial import Trial


async def check_queue(settings: DoctorSettings, tell: Tell) -> None:
    """Findings named `queue` and `queue.…`.

    Raises:
        SettingsError: the URL is none.
        QueueUnavailableError: it cannot be reached, or refuses us; the sentence says why.
    """
    url = settings.queue_url.get_secret_value()
    scheme = url.partition(":")[0].lower()
    if scheme in {"amqp", "amqps"}:
        from dam.queue.amqp.trial import try_broker  # noqa: PLC0415 - only where it is used

        _tell_of_broker(await try_broker(url), tell)
        return
    if scheme == "sqlite" and not (file := file_of(url)).exists():
        tell(await run_apart(lambda: _judge_missing(file)))
        return
    queue = await open_queue(settings)
    try:
        await queue.ping()
        depth = await queue.depth()
    finally:
        await queue.close()
    tell(Finding("queue", Verdict.WELL, f"{queue.url} answers; {depth.ready} jobs wait."))


def _judge_missing(file: Path) -> Finding:
    if can_be_made(file):
        return Finding("queue", Verdict.WELL, f"{file} is not there yet; the first service makes it.")
    return Finding(
        "queue",
        Verdict.BROKEN,
        f"{file} is not there, and cannot be made.",
        "Let this user write to its folder, or name another one in DAM_QUEUE_URL or DAM_DATA_DIR.",
    )


def _tell_of_broker(trial: Trial, tell: Tell) -> None:
    tell(Finding("queue", Verdict.WELL, f"{trial.place} takes us, and confirms what is published."))
    if trial.no_quorum is None:
        tell(Finding("queue.quorum", Verdict.WELL, "It has quorum queues with all that we ask of them."))
    else:
        tell(
            Finding(
                "queue.quorum",
                Verdict.WARNING,
                f"It has no quorum queues such as ours ({trial.no_quorum}): jobs lie in classic queues.",
                "On one node that is enough; what a lost broker takes along, `dam reconcile` queues again.",
            )
        )
    _tell_of_ability(
        "queue.delays",
        "Delayed messages come back.",
        "A delayed message did not come back",
        trial.delays,
        tell,
    )
    _tell_of_ability(
        "queue.dead_letters",
        "Dead letters arrive.",
        "A rejected message did not reach its dead-letter queue",
        trial.dead_letters,
        tell,
    )
    for name in trial.classic:
        told = f"{name} is a classic queue, although the broker has quorum queues."
        tell(Finding("queue.kind", Verdict.WARNING, told, "Stop the services, let it run empty, delete it."))
    for name in trial.foreign:
        told = f"A queue {name} is there that is none of ours: the services will not start."
        tell(
            Finding("queue.kind", Verdict.BROKEN, told, "Delete it, or name another vhost in DAM_QUEUE_URL.")
        )


def _tell_of_ability(check: str, works: str, fails: str, ability: bool, tell: Tell) -> None:  # noqa: FBT001 - a value, not a switch
    if ability:
        tell(Finding(check, Verdict.WELL, works))
        return
    remedy = "Use RabbitMQ 3.10 or newer, or LavinMQ: without it jobs are retried late or never."
    tell(Finding(check, Verdict.BROKEN, f"{fails} within a few seconds.", remedy))
