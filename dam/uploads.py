"""Sends files to the upload API: many at once, streamed from disk, again where that may help.

Used by `dam import` and the demo. It decides nothing about files: whether one is taken is the service's to
say. Repeating is safe, because the service stores each content once.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import httpx
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from dam import routes
from dam.access.showing import bearer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from pydantic import SecretStr

log = structlog.get_logger()

DEFAULT_PARALLEL: Final = 4
DEFAULT_TRIES: Final = 8
LONGEST_WAIT_S: Final = 60.0
_TRY_AGAIN: Final = frozenset({408, 429, 502, 503, 504})
_TIMEOUT: Final = httpx.Timeout(connect=10, read=120, write=120, pool=None)
_backoff: Final = wait_random_exponential(multiplier=0.5, max=30)


Outcome = Literal["uploaded", "duplicate", "refused", "failed"]


@dataclass(frozen=True, slots=True)
class UploadResult:
    """What became of one file.

    `uploaded`: new; `duplicate`: its content was there; `refused`: the service will never take it;
    `failed`: it could not be read or sent, in spite of trying again. `status` is the asset's.
    """

    path: Path
    outcome: Outcome
    asset_id: str | None = None
    status: str | None = None
    reason: str = ""

    @property
    def is_there(self) -> bool:
        """Whether the content is in the bucket and known."""
        return self.outcome in {"uploaded", "duplicate"}


class _TryAgainError(Exception):
    """The service, or something on the way to it, asks for another try."""

    def __init__(self, reason: str, retry_after_s: float | None) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


async def upload_files(  # noqa: PLR0913 - the last three have defaults
    url: str,
    paths: Sequence[Path],
    parallel: int = DEFAULT_PARALLEL,
    on_done: Callable[[UploadResult], None] | None = None,
    *,
    tries: int = DEFAULT_TRIES,
    token: SecretStr | None = None,
) -> list[UploadResult]:
    """Upload files, `parallel` at once, to the service at `url`; one result each, in the order given.

    A busy or unreachable service is tried again up to `tries` times for each file, after what its
    `Retry-After` says or a growing wait. Nothing is raised for a single file: see `UploadResult`.
    `on_done` is called as each file ends.
    """
    results: dict[int, UploadResult] = {}
    waiting: Iterator[tuple[int, Path]] = iter(enumerate(paths))

    async def work(client: httpx.AsyncClient) -> None:
        for index, path in waiting:
            results[index] = result = await _upload(client, path, tries)
            if on_done is not None:
                on_done(result)

    limits = httpx.Limits(max_connections=parallel, max_keepalive_connections=parallel)
    async with (
        httpx.AsyncClient(base_url=url, timeout=_TIMEOUT, limits=limits, headers=bearer(token)) as client,
        asyncio.TaskGroup() as group,
    ):
        for _ in range(min(parallel, len(paths))):
            group.create_task(work(client))
    return [results[index] for index in range(len(paths))]


async def _upload(client: httpx.AsyncClient, path: Path, tries: int) -> UploadResult:
    """One file, with its retries."""
    retrying = AsyncRetrying(
        retry=retry_if_exception_type(_TryAgainError),
        stop=stop_after_attempt(tries),
        wait=_wait,
        reraise=True,
    )
    try:
        return await retrying(_send, client, path)
    except _TryAgainError as error:
        return UploadResult(path, "failed", reason=f"{error} Given up after {tries} tries.")
    except OSError as error:
        return UploadResult(path, "failed", reason=f"It cannot be read: {error.strerror or error}.")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return UploadResult(path, "failed", reason=f"It could not be sent: {error}.")


def _wait(state: RetryCallState) -> float:
    """Seconds until the next try: what the service asked for, else growing, with some randomness."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _TryAgainError) and error.retry_after_s is not None:
        return min(error.retry_after_s, LONGEST_WAIT_S)
    return _backoff(state)


async def _send(client: httpx.AsyncClient, path: Path) -> UploadResult:
    """One try."""
    name = os.fsencode(path.name).decode(errors="replace")
    try:
        with path.open("rb") as file:
            response = await client.post(routes.UPLOAD, files={"files": (name, file)})
    except httpx.LocalProtocolError:
        raise  # the file changed while it was read, or the like: ours, not the network's
    except httpx.TransportError as error:
        raise _TryAgainError(f"{client.base_url} does not answer ({_describe(error)}).", None) from error
    body = _json(response)
    if response.status_code in _TRY_AGAIN:
        raise _TryAgainError(_reason(response, body), _retry_after(response))
    if response.status_code != httpx.codes.ACCEPTED or not body.get("files"):
        return UploadResult(path, "refused", reason=_reason(response, body))
    return _result(path, body["files"][0])


def _describe(error: httpx.TransportError) -> str:
    return str(error) or type(error).__name__


def _json(response: httpx.Response) -> dict[str, Any]:
    """The answer's object; {} where a proxy answered with something else."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _reason(response: httpx.Response, body: dict[str, Any]) -> str:
    return str(body.get("detail") or f"The service answered {response.status_code} {response.reason_phrase}.")


def _retry_after(response: httpx.Response) -> float | None:
    """`Retry-After` in seconds; a date, which our service never sends, counts as absent."""
    value = response.headers.get("retry-after", "")
    return float(value) if value.isdecimal() else None


def _result(path: Path, entry: dict[str, Any]) -> UploadResult:
    if "error" in entry:
        return UploadResult(path, "refused", reason=str(entry["error"].get("detail")))
    outcome: Outcome = "duplicate" if entry.get("duplicate_of") else "uploaded"
    return UploadResult(path, outcome, entry["id"], entry["status"], entry.get("hint", ""))
