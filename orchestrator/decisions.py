"""What becomes of a delivery: pure functions from what happened to how it ends.

Owns the rules of DESIGN.md ("Flow of one asset", "On RabbitMQ"): what counts as a job's own failure, how long
a retry waits, when a job runs alone and when it is given up. Called by `consuming`, `settling` and
`deadletters`. It never does I/O and never looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from dam.errors import (
    CatalogueUnavailableError,
    InferenceError,
    InferenceUnavailableError,
    InvalidMessageError,
    ObjectNotFoundError,
    PictureError,
    QueueUnavailableError,
    StoreUnavailableError,
)
from dam.queue.port import RETRY_DELAYS_S
from orchestrator.errors import (
    BentoBusyError,
    BentoDownError,
    BentoLostError,
    OriginalChangedError,
    OriginalTooLargeError,
)

if TYPE_CHECKING:
    from dam.catalogue.changes import Change
    from dam.catalogue.row import Row

ALONE_FROM: Final = 3
"""Redeliveries (or lost connections) from which a job runs with nothing else in hand."""
CRASHED_FROM: Final = 10
"""Redeliveries from which a job is held to be what kills its workers."""
_PERSON: Final = "person:"
"""Beginning of `caption_by` where a person wrote the caption."""
MISSING_ATTEMPTS: Final = 3
"""Tries before an original that is not there is given up: a bucket may lag, but not for long."""
BUSY_PAUSE_S: Final = RETRY_DELAYS_S[1]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Done, and durable."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The job's own failure: again after `delay_s`, one attempt more."""

    delay_s: int


@dataclass(frozen=True, slots=True)
class Release:
    """No fault of the job's: give it back untouched. `outage` asks to pause the intake."""

    outage: bool
    delay_s: int = 0


@dataclass(frozen=True, slots=True)
class Fail:
    """Failed for good: a `failed` row, then the acknowledgement."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Given up, or unreadable: among the dead letters, from where it becomes a `failed` row."""

    code: str
    message: str


Decision = Acknowledge | Retry | Release | Fail | DeadLetter


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known beside the error. `alone`: nothing else was in hand. `store_up`: it answers now."""

    attempts: int
    max_attempts: int
    alone: bool = False
    store_up: bool = True


def decide(error: Exception, situation: Situation) -> Decision:  # noqa: PLR0911 - one return for each rule
    """How a delivery ends whose job raised `error`."""
    match error:
        case InvalidMessageError():
            return DeadLetter(error.code, str(error))
        case PictureError() | InferenceError():
            return Fail(error.code, str(error))
        case OriginalTooLargeError():
            return Fail("too_large", str(error))
        case BentoDownError() | CatalogueUnavailableError() | QueueUnavailableError():
            return Release(outage=True)
        case BentoBusyError():
            return Release(outage=False, delay_s=BUSY_PAUSE_S)
        case BentoLostError() if not situation.alone:
            return Release(outage=False, delay_s=RETRY_DELAYS_S[0])
        case StoreUnavailableError() if not situation.store_up:
            return Release(outage=True)
        case _:
            return _try_again(error, situation)


def _try_again(error: Exception, situation: Situation) -> Retry | DeadLetter:
    """The job's own failure for now: growing delays, then the dead letters."""
    code = code_of(error)
    most = (
        min(MISSING_ATTEMPTS, situation.max_attempts)
        if code == "original_missing"
        else situation.max_attempts
    )
    if situation.attempts + 1 >= most:
        return DeadLetter(code, f"{error} Given up after {situation.attempts + 1} attempts.")
    return Retry(RETRY_DELAYS_S[min(situation.attempts, len(RETRY_DELAYS_S) - 1)])


def code_of(error: Exception) -> str:
    """The stable code of a failure for now, for `error_code`."""
    match error:
        case ObjectNotFoundError():
            return "original_missing"
        case OriginalChangedError():
            return "original_changed"
        case InferenceUnavailableError():
            return "inference_unavailable"
        case StoreUnavailableError():
            return "store_unavailable"
        case _:
            return "internal_error"


def give_up_on(redeliveries: int) -> DeadLetter | None:
    """The end of a job that came back too often because its worker died."""
    if redeliveries < CRASHED_FROM:
        return None
    return DeadLetter(
        "crashed_worker",
        f"The worker died {redeliveries} times while it held this job, the last times alone with it. Look at "
        "the original before you retry it.",
    )


def runs_alone(redeliveries: int, lost_connections: int) -> bool:
    """Whether a job is suspected of killing what works on it."""
    return redeliveries >= ALONE_FROM or lost_connections >= ALONE_FROM


def rebase(change: Change, current: Row | None) -> int | None:
    """The revision a stale change is to be made against, or None where it is superseded.

    A result beats a failure. A failure replaces a failure only as the answer to a repeated upload, which
    expects no row. A row that is ready, edited or deleted was made by somebody who came later.
    """
    if current is None:
        return 0
    if current.status == "failed" and (change.status == "ready" or change.expected_revision == 0):
        return current.revision
    return None


def keep_edits(change: Change, current: Row | None) -> Change:
    """The change without what a person has said of the asset meanwhile: no model and no retry overwrites it.

    The file's name of an asset that has a row is the row's; a caption is kept where a person wrote it.
    """
    if current is None:
        return change
    kept = {"filename"} if current.filename is not None else set()
    if (current.caption_by or "").startswith(_PERSON):
        kept |= {"caption", "caption_by"}
    return replace(change, values={key: value for key, value in change.values.items() if key not in kept})
