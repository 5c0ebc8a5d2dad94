"""What becomes of a delivery: the whole table of errors and decisions, and the rules beside it."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from dam import errors as core
from dam.catalogue.changes import Change
from dam.catalogue.row import Event, Row, Status
from dam.ids import new_id
from dam.queue.port import RETRY_DELAYS_S
from orchestrator import errors as own
from orchestrator.decisions import (
    ALONE_FROM,
    CRASHED_FROM,
    MISSING_ATTEMPTS,
    DeadLetter,
    Decision,
    Fail,
    Release,
    Retry,
    Situation,
    code_of,
    decide,
    give_up_on,
    rebase,
    runs_alone,
)

FIRST = Situation(attempts=0, max_attempts=5)
SOON = RETRY_DELAYS_S[0]

TABLE: dict[type[Exception], tuple[Exception, Decision]] = {
    # What no repetition mends becomes a row, or a dead letter where no job could be read.
    core.InvalidMessageError: (
        core.InvalidMessageError("malformed", "Not JSON."),
        DeadLetter("malformed", "Not JSON."),
    ),
    core.PictureError: (core.PictureError("truncated", "Cut short."), Fail("truncated", "Cut short.")),
    core.InferenceError: (core.InferenceError("empty_text", "Empty."), Fail("empty_text", "Empty.")),
    own.OriginalTooLargeError: (own.OriginalTooLargeError("Large."), Fail("too_large", "Large.")),
    # What is down for everybody is nobody's failure: the job goes back and the intake pauses.
    own.BentoDownError: (own.BentoDownError("Down."), Release(outage=True)),
    core.CatalogueUnavailableError: (core.CatalogueUnavailableError("Down."), Release(outage=True)),
    core.QueueUnavailableError: (core.QueueUnavailableError("Down."), Release(outage=True)),
    # What is overloaded, or broke under a neighbour, costs the job nothing either.
    own.BentoBusyError: (own.BentoBusyError("Busy."), Release(outage=False, delay_s=RETRY_DELAYS_S[1])),
    own.BentoLostError: (own.BentoLostError("Broke."), Release(outage=False, delay_s=SOON)),
    # The rest is the job's own failure for now.
    core.InferenceUnavailableError: (core.InferenceUnavailableError("500."), Retry(SOON)),
    core.StoreUnavailableError: (core.StoreUnavailableError("500."), Retry(SOON)),
    core.ObjectNotFoundError: (core.ObjectNotFoundError("Gone."), Retry(SOON)),
    core.PreconditionFailedError: (core.PreconditionFailedError("Other."), Retry(SOON)),
    core.StoreError: (core.StoreError("Refused."), Retry(SOON)),
    core.CatalogueError: (core.CatalogueError("Refused."), Retry(SOON)),
    core.IndexUnavailableError: (core.IndexUnavailableError("Gone."), Retry(SOON)),  # not ours to need
    core.SettingsError: (core.SettingsError("Wrong."), Retry(SOON)),
    core.AccessError: (core.AccessError("Broken."), Retry(SOON)),  # not ours to need
    core.DamError: (core.DamError("Unknown."), Retry(SOON)),
    own.OriginalChangedError: (own.OriginalChangedError("Other bytes."), Retry(SOON)),
    ZeroDivisionError: (ZeroDivisionError("A bug."), Retry(SOON)),
    MemoryError: (MemoryError(), Retry(SOON)),
}


def declared(module: object) -> set[type[Exception]]:
    """The error classes that a module defines itself."""
    return {
        found
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Exception) and found.__module__ == getattr(module, "__name__", "")
    }


def test_every_error_of_the_core_and_of_the_bento_stands_in_the_table() -> None:
    """A new error class cannot be forgotten: this fails until somebody has decided about it."""
    assert declared(core) | declared(own) <= set(TABLE)


@pytest.mark.parametrize(("error", "decision"), TABLE.values(), ids=[kind.__name__ for kind in TABLE])
def test_each_error_has_its_decision(error: Exception, decision: Decision) -> None:
    """The table above, on a job's first attempt, with others in hand and the store up."""
    assert decide(error, FIRST) == decision


@pytest.mark.parametrize("attempts", range(4))
def test_own_failures_wait_longer_each_time(attempts: int) -> None:
    """The delays are the port's, in order; none is skipped."""
    situation = replace(FIRST, attempts=attempts)
    assert decide(core.InferenceUnavailableError("500."), situation) == Retry(RETRY_DELAYS_S[attempts])


def test_the_longest_delay_repeats_where_more_attempts_are_allowed() -> None:
    """Attempts beyond the port's delays wait the longest of them."""
    situation = Situation(attempts=30, max_attempts=99)
    assert decide(core.StoreError("Refused."), situation) == Retry(RETRY_DELAYS_S[-1])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (core.InferenceUnavailableError("It failed."), "inference_unavailable"),
        (own.BentoLostError("It failed."), "inference_unavailable"),
        (core.StoreUnavailableError("It failed."), "store_unavailable"),
        (own.OriginalChangedError("It failed."), "original_changed"),
        (core.ObjectNotFoundError("It failed."), "original_missing"),
        (KeyError("It failed."), "internal_error"),
    ],
)
def test_the_last_attempt_gives_up_with_a_stable_code(error: Exception, code: str) -> None:
    """The dead letter says what failed and how often it was tried; so does its row later."""
    decision = decide(error, Situation(attempts=4, max_attempts=5, alone=True))
    assert isinstance(decision, DeadLetter)
    assert decision.code == code == code_of(error)
    assert "It failed." in decision.message
    assert decision.message.endswith("Given up after 5 attempts.")


def test_an_original_that_is_not_there_is_given_up_early() -> None:
    """A bucket may lag behind, but not for the sum of all delays."""
    missing = core.ObjectNotFoundError("Gone.")
    last = MISSING_ATTEMPTS - 1
    assert isinstance(decide(missing, replace(FIRST, attempts=last - 1)), Retry)
    assert isinstance(decide(missing, replace(FIRST, attempts=last)), DeadLetter)
    assert isinstance(decide(missing, Situation(attempts=0, max_attempts=1)), DeadLetter)


def test_a_store_that_is_down_is_an_outage_and_no_attempt() -> None:
    """The same error is the job's own failure while the store answers others."""
    error = core.StoreUnavailableError("No answer.")
    assert decide(error, replace(FIRST, attempts=4, store_up=False)) == Release(outage=True)


def test_a_job_that_breaks_the_bento_alone_has_itself_to_blame() -> None:
    """With others in hand nobody knows whose fault it was; alone it is an attempt."""
    lost = own.BentoLostError("Broke.")
    assert decide(lost, replace(FIRST, attempts=4)) == Release(outage=False, delay_s=SOON)
    assert decide(lost, replace(FIRST, alone=True)) == Retry(SOON)


@pytest.mark.parametrize("attempts", [0, 4, 40])
@pytest.mark.parametrize(
    "error",
    [own.BentoDownError("Down."), own.BentoBusyError("Busy."), core.CatalogueUnavailableError("Down.")],
)
def test_an_outage_never_uses_up_a_job(error: Exception, attempts: int) -> None:
    """However often it was tried: what is not its fault gives it back."""
    assert isinstance(decide(error, replace(FIRST, attempts=attempts)), Release)


@pytest.mark.parametrize("redeliveries", [0, ALONE_FROM, CRASHED_FROM - 1])
def test_a_job_is_not_given_up_before_its_tenth_redelivery(redeliveries: int) -> None:
    """It runs, alone in the end."""
    assert give_up_on(redeliveries) is None


@pytest.mark.parametrize("redeliveries", [CRASHED_FROM, CRASHED_FROM + 5])
def test_a_job_whose_worker_died_ten_times_is_given_up(redeliveries: int) -> None:
    """Its code says so, and its sentence how often."""
    decision = give_up_on(redeliveries)
    assert decision is not None
    assert decision.code == "crashed_worker"
    assert str(redeliveries) in decision.message


def test_three_deaths_or_three_broken_connections_make_a_suspect() -> None:
    """Below that it runs among the others."""
    assert ALONE_FROM == 3
    assert [runs_alone(redeliveries, 0) for redeliveries in range(5)] == [False] * 3 + [True] * 2
    assert [runs_alone(0, lost) for lost in range(5)] == [False] * 3 + [True] * 2


ASSET = new_id()


def change(status: Status, expected: int) -> Change:
    """A late change of the orchestrator's."""
    event: Event = "enriched" if status == "ready" else "failed"
    return Change(ASSET, new_id(), expected, event, status, "orchestrator")


def row(status: Status, revision: int = 3) -> Row:
    """What is there instead of what was expected."""
    return Row(
        id=ASSET,
        revision=revision,
        change_id=new_id(),
        event="edited",
        recorded_at=datetime.now(UTC),
        actor="person:anna",
        status=status,
    )


@pytest.mark.parametrize(
    ("late", "current", "against"),
    [
        (change("ready", 0), row("failed"), 3),  # a result beats a failure
        (change("ready", 2), row("failed"), 3),
        (change("failed", 0), row("failed"), 3),  # the answer to a repeated upload
        (change("failed", 2), row("failed"), None),  # a newer failure says it already
        (change("ready", 0), row("ready"), None),  # somebody came later
        (change("failed", 0), row("ready"), None),
        (change("ready", 0), row("deleted"), None),
        (change("failed", 0), row("deleted"), None),
        (change("ready", 2), None, 0),  # there is no row at all
    ],
)
def test_a_stale_change_is_made_against_a_failure_or_not_at_all(
    late: Change, current: Row | None, against: int | None
) -> None:
    """Never over what is ready, edited or deleted."""
    assert rebase(late, current) == against
