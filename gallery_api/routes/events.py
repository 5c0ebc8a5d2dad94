"""Server-sent events from the change feed."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from gallery_api.answers.operations import Event
from gallery_api.routes.described import UNAVAILABLE, Here, Responses

router = APIRouter(tags=["events"])

_STREAM: Final[Responses] = {
    200: {
        "description": "Events `enriched`, `failed`, `edited`, `reverted`, `deleted`, `restored` and "
        "`purged`; `reset` where what was missed cannot be told any more: load everything again.",
        "model": Event,
        "content": {
            "text/event-stream": {
                "example": 'id: 118-0\nevent: edited\ndata: {"id": "019abf3c-4d5e-7f60-8a9b-0c1d2e3f4a5b", '
                '"revision": 2, "event": "edited", "status": "ready"}\n\n'
            }
        },
    }
}


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses=_STREAM | UNAVAILABLE,
    summary="Changes as they come",
)
async def stream_events(
    gallery: Here,
    last_event_id: Annotated[
        str | None, Header(description="Go on after this event.", examples=["118-0"])
    ] = None,
    since: Annotated[
        str | None, Query(description="The same, for clients that cannot set the header.", examples=["118-0"])
    ] = None,
) -> StreamingResponse:
    """Every change of the catalogue, whoever made it. An event's `id` is the table's version and a number."""
    return await gallery.events.stream(last_event_id or since)
