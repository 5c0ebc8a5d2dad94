"""`POST /upload`: reads the form, gives each file to the intake and puts the answer together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from dam.access import visitors
from dam.names import safe_name
from dam.problem import CONTENT_TYPE
from dam.room import NoRoomError
from ingest_api import refusals
from ingest_api.answers import RefusedFile, UploadAnswer, UploadedFile, upload_problem
from ingest_api.body import BodyAnswer, RequestBody
from ingest_api.multipart import MultipartBody, Part
from ingest_api.refusals import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request

    from dam.room import Room
    from ingest_api.intake import Intake
    from ingest_api.metrics import Metrics
    from ingest_api.settings import IngestSettings

log = structlog.get_logger()

PART_MEMORY_BYTES = 8 * 1024 * 1024
"""What one large body is charged: a part of a multipart upload, and what passes on its way there and on."""

_Outcome = UploadedFile | RefusalError
_Outcomes = list[tuple[str | None, _Outcome]]
"""Files in the order sent, by name; None names the request itself."""


class Uploads:
    """Answers uploads; one for the whole app."""

    def __init__(self, intake: Intake, room: Room, metrics: Metrics, settings: IngestSettings) -> None:
        self._intake = intake
        self._room = room
        self._metrics = metrics
        self._settings = settings

    async def answer(self, request: Request) -> Response:
        """Take every file of the request, one after the other, in the order sent."""
        outcomes: _Outcomes = []
        body = RequestBody(request, self._settings)
        try:
            await self._receive(request.headers.get("content-type", ""), body, outcomes)
        except RefusalError as refusal:
            # The body ends here: what was taken stays taken, and the rest is told once.
            outcomes.append((None, refusal))
        except ClientDisconnect:
            log.info("upload.disconnected", taken=len(outcomes))
            return Response(status_code=400)
        return _response(outcomes, body)

    async def _receive(self, content_type: str, body: RequestBody, outcomes: _Outcomes) -> None:
        form = MultipartBody(content_type, body.chunks())
        size = min(body.declared, PART_MEMORY_BYTES)
        try:
            holder = visitors.current().holder
            async with self._room.hold(size, self._settings.upload_wait_s, holder=holder):
                with self._metrics.receiving.track_inprogress():
                    await self._take_files(form, outcomes)
        except NoRoomError as error:
            raise refusals.busy(self._settings.retry_after_s) from error

    async def _take_files(self, form: MultipartBody, outcomes: _Outcomes) -> None:
        async for part in form.parts():
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


def _response(outcomes: _Outcomes, body: RequestBody) -> Response:
    """202 where at least one file was taken; else the error's own status, once for all."""
    refused = [(name, outcome) for name, outcome in outcomes if isinstance(outcome, RefusalError)]
    waits = [refusal.retry_after_s for _, refusal in refused if refusal.retry_after_s is not None]
    headers = {"Retry-After": str(max(waits))} if waits else {}
    if len(refused) == len(outcomes):
        problem = upload_problem(refused)
        return BodyAnswer(problem, problem.status, headers, body, media_type=CONTENT_TYPE)
    files: list[UploadedFile | RefusedFile] = [
        RefusedFile(filename=name, error=outcome.problem()) if isinstance(outcome, RefusalError) else outcome
        for name, outcome in outcomes
    ]
    return BodyAnswer(UploadAnswer(files=files), 202, headers, body)
