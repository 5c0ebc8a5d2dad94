"""What waits is written together; every caller gets its own answer, whatever happens to the others."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from dam.catalogue import Change, Committed
from dam.catalogue.committer import Committer
from dam.catalogue.planning import plan_batch
from dam.errors import CatalogueUnavailableError
from tests.catalogue.changes import change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue.changes import Outcome
    from dam.catalogue.committer import Results

SOON_S = 20.0


class Writer:
    """Writes nowhere, when it is let; fails the changes in `broken`, or altogether with `error`."""

    def __init__(self) -> None:
        self.batches: list[list[Change]] = []
        self.may_write = asyncio.Event()
        self.may_write.set()
        self.is_writing = asyncio.Event()
        self.broken: set[str] = set()
        self.error: BaseException | None = None

    async def write(self, changes: Sequence[Change]) -> Results:
        """One outcome each."""
        self.batches.append(list(changes))
        self.is_writing.set()
        await self.may_write.wait()
        if self.error:
            raise self.error
        outcomes = plan_batch(changes, {}, datetime.now(UTC)).outcomes
        return [
            CatalogueUnavailableError("Broken.") if change.change_id in self.broken else outcome
            for change, outcome in zip(changes, outcomes, strict=True)
        ]


@pytest.fixture
def writer() -> Writer:
    return Writer()


@pytest.fixture
def committer(writer: Writer) -> Committer:
    return Committer(writer.write)


async def hold_first(writer: Writer, committer: Committer) -> asyncio.Task[list[Outcome]]:
    """A first commit that is being written, and not let go yet."""
    writer.may_write.clear()
    first = asyncio.create_task(committer.submit([change()]))
    await asyncio.wait_for(writer.is_writing.wait(), SOON_S)
    return first


def made(outcomes: list[Outcome]) -> list[str]:
    return [outcome.row.change_id for outcome in outcomes if isinstance(outcome, Committed)]


async def test_what_comes_meanwhile_is_written_together(writer: Writer, committer: Committer) -> None:
    """One commit is on its way: all that come then share the next, and each gets its own outcomes."""
    first = await hold_first(writer, committer)
    requests = [[change() for _ in range(count)] for count in (1, 3, 2, 1)]
    waiting = [asyncio.create_task(committer.submit(request)) for request in requests]
    await asyncio.sleep(0)
    writer.may_write.set()
    answers = await asyncio.gather(first, *waiting)
    assert [len(batch) for batch in writer.batches] == [1, 7]
    assert writer.batches[1] == [item for request in requests for item in request]
    for request, answer in zip(requests, answers[1:], strict=True):
        assert made(answer) == [item.change_id for item in request]


async def test_a_batch_is_bounded_and_a_larger_request_goes_alone(
    writer: Writer, committer: Committer
) -> None:
    """Requests are not torn apart, and keep their order."""
    first = await hold_first(writer, committer)
    sizes = (200, 56, 1, 300, 5)
    waiting = [asyncio.create_task(committer.submit([change() for _ in range(size)])) for size in sizes]
    await asyncio.sleep(0)
    writer.may_write.set()
    answers = await asyncio.gather(first, *waiting)
    assert [len(batch) for batch in writer.batches] == [1, 256, 1, 300, 5]
    assert [len(answer) for answer in answers] == [1, *sizes]


async def test_nothing_is_nothing(writer: Writer, committer: Committer) -> None:
    """No changes, no commit."""
    assert await committer.submit([]) == []
    assert writer.batches == []


async def test_one_callers_error_is_no_others(writer: Writer, committer: Committer) -> None:
    """Of a batch in which some could not be written, their callers alone are told."""
    first = await hold_first(writer, committer)
    good, bad = [change(), change()], [change(), change()]
    writer.broken = {bad[1].change_id}
    waiting = [asyncio.create_task(committer.submit(request)) for request in (good, bad)]
    await asyncio.sleep(0)
    writer.may_write.set()
    _, answer, error = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert isinstance(answer, list)
    assert made(answer) == [item.change_id for item in good]
    assert isinstance(error, CatalogueUnavailableError)


async def test_a_writer_that_breaks_tells_its_callers_and_works_again(
    writer: Writer, committer: Committer
) -> None:
    """Even by a bug: nobody waits for ever."""
    writer.error = ZeroDivisionError("bug")
    with pytest.raises(CatalogueUnavailableError, match="bug"):
        await asyncio.wait_for(committer.submit([change()]), SOON_S)
    writer.error = None
    assert len(await committer.submit([change()])) == 1


async def test_a_caller_that_gives_up_stops_nothing(writer: Writer, committer: Committer) -> None:
    """Neither the batch that is being written, nor one that waits: its changes are committed all the same."""
    first = await hold_first(writer, committer)
    given_up, patient = change(), change()
    leaving = asyncio.create_task(committer.submit([given_up]))
    staying = asyncio.create_task(committer.submit([patient]))
    await asyncio.sleep(0)
    first.cancel()
    leaving.cancel()
    await asyncio.gather(first, leaving, return_exceptions=True)
    writer.may_write.set()
    assert made(await asyncio.wait_for(staying, SOON_S)) == [patient.change_id]
    assert writer.batches[1:] == [[given_up, patient]]


async def test_closing_finishes_what_waits_and_takes_nothing_more(
    writer: Writer, committer: Committer
) -> None:
    """A stop loses no change that was handed in."""
    first = await hold_first(writer, committer)
    second = asyncio.create_task(committer.submit([change()]))
    await asyncio.sleep(0)
    closing = asyncio.create_task(committer.close())
    await asyncio.sleep(0)
    with pytest.raises(CatalogueUnavailableError, match="stopping"):
        await committer.submit([change()])
    assert not closing.done()
    writer.may_write.set()
    await asyncio.wait_for(closing, SOON_S)
    assert len(await first) == len(await second) == 1


async def test_a_writing_task_that_is_cancelled_leaves_nobody_waiting(
    writer: Writer, committer: Committer
) -> None:
    """The loop's own end: those in the batch and those behind it are told."""
    first = await hold_first(writer, committer)
    second = asyncio.create_task(committer.submit([change()]))
    await asyncio.sleep(0)
    [task] = [task for task in asyncio.all_tasks() if task.get_name() == "catalogue-committer"]
    task.cancel()
    for waiting in (first, second):
        with pytest.raises(CatalogueUnavailableError):
            await asyncio.wait_for(waiting, SOON_S)
