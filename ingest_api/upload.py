"""`POST /upload`: reads the form, gives each file to the intake and puts the answer together."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from dam.problem import CONTENT_TYPE
from ingest_api import refusals
from ingest_api.answers import RefusedFile, UploadAnswer, UploadedFile, upload_problem
from ingest_api.budget import OutOfBudgetError
from ingest_api.multipart import MultipartBody, Part
from ingest_api.names import safe_name
from ingest_api.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

    from ingest_api.budget import MemoryBudget
    from ingest_api.intake import Intake
    from ingest_api.metrics import Metrics
    from ingest_api.settings import IngestSettings

log = structlog.get_logger()

PART_MEMORY_BYTES = 16 * 1024 * 1024
"""What one large body holds at most on its way to the bucket: two parts of a multipart upload."""

_Outcome = UploadedFile | RefusalError
_Outcomes = list[tuple[str | None, _Outcome]]
"""Files in the order sent, by name; None names the request itself."""


class Uploads:
    """Answers uploads; one for the whole app."""

    def __init__(
        self, intake: Intake, budget: MemoryBudget, metrics: Metrics, settings: IngestSettings
    ) -> None:
        self._intake = intake
        self._budget = budget
        self._metrics = metrics
        self._settings = settings

    async def answer(self, request: Request) -> Response:
        """Take every file of the request, one after the other, in the order sent."""
        outcomes: _Outcomes = []
        try:
            await self._receive(request, outcomes)
        except RefusalError as refusal:
            # The body ends here: what was taken stays taken, and the rest is told once.
            outcomes.append((None, refusal))
        except ClientDisconnect:
            log.info("upload.disconnected", taken=len(outcomes))
            return Response(status_code=400)
        return _response(outcomes)

    async def _receive(self, request: Request, outcomes: _Outcomes) -> None:
        length = int(request.headers.get("content-length", self._settings.max_request_bytes))
        if length > self._settings.max_request_bytes:
            raise refusals.request_too_large(self._settings.max_request_bytes)
        body = MultipartBody(request.headers.get("content-type", ""), self._chunks(request))
        try:
            async with self._budget.hold(min(length, PART_MEMORY_BYTES), self._settings.upload_wait_s):
                with self._metrics.receiving.track_inprogress():
                    await self._take_files(body, outcomes)
        except OutOfBudgetError as error:
            raise refusals.busy(self._settings.retry_after_s) from error

    async def _take_files(self, body: MultipartBody, outcomes: _Outcomes) -> None:
        async for part in body.parts():
            if part.filename is None:
                continue
            if len(outcomes) >= self._settings.max_files:
                raise refusals.too_many_files(self._settings.max_files)
            outcome = await self._take(part, part.filename)
            if outcome is not None:
                outcomes.append((safe_name(part.filename), outcome))
            if isinstance(outcome, RefusalError) and outcome.code in refusals.BODY_CODES:
                return
        if not outcomes:
            raise refusals.no_file()

    async def _take(self, part: Part, filename: str) -> _Outcome | None:
        """One file's outcome; None for the empty part that a browser sends where no file was chosen."""
        started = time.monotonic()
        outcome: _Outcome
        try:
            outcome = await self._intake.take(filename, part.chunks())
            self._metrics.bytes.inc(0 if outcome.duplicate_of else outcome.size_bytes)
            label = "duplicate" if outcome.duplicate_of else "accepted"
        except RefusalError as refusal:
            if refusal.code == "empty_file" and not filename:
                return None
            outcome, label = refusal, refusal.code
        self._metrics.files.labels(label).inc()
        self._metrics.seconds.observe(time.monotonic() - started)
        return outcome

    async def _chunks(self, request: Request) -> AsyncIterator[bytes]:
        """The request's body as it comes, within its limits of size and silence."""
        received = 0
        stream = request.stream()
        while True:
            try:
                async with asyncio.timeout(self._settings.body_idle_s):
                    chunk = await anext(stream, None)
            except TimeoutError as error:
                raise refusals.stalled(self._settings.body_idle_s) from error
            if chunk is None:
                return
            received += len(chunk)
            if received > self._settings.max_request_bytes:
                raise refusals.request_too_large(self._settings.max_request_bytes)
            if chunk:
                yield chunk


def _response(outcomes: _Outcomes) -> Response:
    """202 where at least one file was taken; else the error's own status, once for all."""
    refused = [(name, outcome) for name, outcome in outcomes if isinstance(outcome, RefusalError)]
    headers = _headers([refusal for _, refusal in refused])
    if len(refused) == len(outcomes):
        problem = upload_problem(refused)
        return JSONResponse(
            problem.model_dump(mode="json"), problem.status, headers=headers, media_type=CONTENT_TYPE
        )
    files: list[UploadedFile | RefusedFile] = [
        RefusedFile(filename=name, error=outcome.problem()) if isinstance(outcome, RefusalError) else outcome
        for name, outcome in outcomes
    ]
    answer = UploadAnswer(files=files)
    return JSONResponse(answer.model_dump(mode="json", exclude_none=True), 202, headers=headers)


def _headers(refused: list[RefusalError]) -> dict[str, str]:
    """`Retry-After` where it may help; an end of the connection where the body was not read to its end."""
    waits = [refusal.retry_after_s for refusal in refused if refusal.retry_after_s is not None]
    headers = {"Retry-After": str(max(waits))} if waits else {}
    if any(refusal.code in refusals.BODY_CODES for refusal in refused):
        headers["Connection"] = "close"
    return headers
