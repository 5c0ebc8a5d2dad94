"""The current selection as a file."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from gallery_api.filters import ExportQuery
from gallery_api.routes.described import INVALID, UNAVAILABLE, Here, Responses

router = APIRouter(tags=["export"])

_FILE: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS: Final[Responses] = {
    200: {
        "description": "The file, streamed.",
        "content": {
            "application/vnd.apache.parquet": _FILE,
            "text/csv": _FILE,
            "application/x-ndjson": _FILE,
        },
    }
}


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses=_ANSWERS | INVALID | UNAVAILABLE,
    summary="Export the selection",
)
async def export_assets(gallery: Here, query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
    """The rows of the assets that pass the filters, newest first: every column but `embedding`."""
    return await gallery.exporter.stream(query)
