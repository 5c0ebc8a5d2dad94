"""Coalesces what is waiting: many small commits of one process become few large ones.

`Catalogue.commit` hands changes in; one task takes all that waits and writes it as one batch. It must never
lose a caller: each gets its outcomes or an error, and a caller that gives up does not stop the batch.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dam.errors import CatalogueUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from dam.catalogue.changes import Change, Outcome

_MAX_CHANGES: Final = 256
"""In one commit: about 4 MB of vectors as Python numbers, and one data file of half a megabyte."""

Results = list["Outcome | CatalogueUnavailableError"]


@dataclass(frozen=True, slots=True, eq=False)
class _Request:
    changes: Sequence[Change]
    answer: asyncio.Future[list[Outcome]]


class Committer:
    """One per process; `write` takes a batch and returns one result for each of its changes."""

    def __init__(self, write: Callable[[Sequence[Change]], Awaitable[Results]]) -> None:
        self._write = write
        self._waiting: deque[_Request] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, changes: Sequence[Change]) -> list[Outcome]:
        """Wait until the changes are written; see `Catalogue.commit`."""
        if self._closed:
            raise CatalogueUnavailableError("The catalogue is closed: this process is stopping.")
        if not changes:
            return []
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Request(changes, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain(), name="catalogue-committer")
        return await answer

    async def close(self) -> None:
        """Take nothing more and wait for what is waiting."""
        self._closed = True
        if self._task:
            await asyncio.wait([self._task])

    async def _drain(self) -> None:
        while self._waiting:
            requests = self._take()
            try:
                results = await self._write([change for request in requests for change in request.changes])
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the callers' to know
                _fail(requests, error)
                continue
            except BaseException as error:
                _fail([*requests, *self._waiting], error)
                self._waiting.clear()
                raise
            at = 0
            for request in requests:
                _answer(request, results[at : at + len(request.changes)])
                at += len(request.changes)

    def _take(self) -> list[_Request]:
        """What fits one batch; a single larger request goes alone."""
        taken = [self._waiting.popleft()]
        count = len(taken[0].changes)
        while self._waiting and count + len(self._waiting[0].changes) <= _MAX_CHANGES:
            taken.append(self._waiting.popleft())
            count += len(taken[-1].changes)
        return taken


def _answer(request: _Request, results: Results) -> None:
    if request.answer.done():  # its caller was cancelled
        return
    errors = [result for result in results if isinstance(result, CatalogueUnavailableError)]
    if errors:
        request.answer.set_exception(errors[0])
    else:
        request.answer.set_result(
            [item for item in results if not isinstance(item, CatalogueUnavailableError)]
        )


def _fail(requests: Sequence[_Request], error: BaseException) -> None:
    for request in requests:
        if not request.answer.done():
            unavailable = CatalogueUnavailableError(f"The catalogue's writer stopped: {error!r}")
            unavailable.__cause__ = error
            request.answer.set_exception(unavailable)
