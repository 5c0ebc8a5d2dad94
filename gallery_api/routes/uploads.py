"""Uploads, passed on to ingest, so that a browser knows one URL."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from dam import routes
from gallery_api.routes.described import BAD_UPLOAD, UNAVAILABLE, Here, Responses

router = APIRouter(tags=["upload"])

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "One or many files, as ingest's `POST /upload` takes them.",
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}}
                    },
                }
            }
        },
    }
}
_ANSWERS: Final[Responses] = {
    202: {
        "description": "Ingest's own answer: one entry for each file, in the order sent.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {"files": {"type": "array", "items": {"type": "object"}}},
                }
            }
        },
    }
}


@router.post(
    routes.UPLOAD,
    status_code=202,
    responses=_ANSWERS | BAD_UPLOAD | UNAVAILABLE,
    openapi_extra=_BODY,
    response_class=Response,
    summary="Upload one or many files",
)
async def upload_files(gallery: Here, request: Request) -> Response:
    """Streamed to ingest as it comes; status, headers and body of the answer are ingest's."""
    return await gallery.passing.forward(request)
