"""What the upload API answers, as models: the source of both the JSON and its OpenAPI description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, Field

from dam.problem import CONTENT_TYPE, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest_api.refusals import RefusalError

_ID: Final = "019abf3c-4d5e-7f60-8a9b-0c1d2e3f4a5b"
_SHA256: Final = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


class UploadedFile(BaseModel):
    """A file that was taken, or whose content was there already."""

    filename: str = Field(
        description="As sent, without folders and control characters.", examples=["boat.png"]
    )
    id: str = Field(description="The asset; where the content was there, the existing one.", examples=[_ID])
    r2_key: str = Field(description="Where the original lies in the bucket.", examples=[f"assets/{_ID}.png"])
    mime_type: str = Field(description="Told from the content.", examples=["image/png"])
    size_bytes: int = Field(examples=[48213])
    sha256: str = Field(examples=[_SHA256])
    status: Literal["pending", "ready", "deleted"] = Field(
        description="`pending`: queued (again, if it failed before). `ready`: enriched before. `deleted`: "
        "deleted before; it may be restored.",
        examples=["pending"],
    )
    duplicate_of: str | None = Field(
        default=None, description="Only where the content was there: the same as `id`."
    )
    hint: str | None = Field(default=None, description="Only where there is something to do.")


class RefusedFile(BaseModel):
    """A file that was not taken, and why."""

    filename: str | None = Field(
        default=None, description="Absent where the body broke off between files.", examples=["notes.txt"]
    )
    error: Problem


class UploadAnswer(BaseModel):
    """One entry for each file, in the order sent."""

    files: list[UploadedFile | RefusedFile]


class UploadProblem(Problem):
    """No file was taken; `files` says why for each, and is empty where the request itself was refused."""

    files: list[RefusedFile] = Field(default_factory=list)


class Readiness(BaseModel):
    """`dependencies` says `up`, or what is wrong."""

    status: Literal["ready", "not ready"] = Field(examples=["ready"])
    dependencies: dict[str, str] = Field(examples=[{"store": "up", "queue": "up"}])


def upload_problem(refusals: Sequence[tuple[str | None, RefusalError]]) -> UploadProblem:
    """The one answer where every file failed: the reason of them all, or the most telling one.

    What may pass later (503) comes first, so that a client tries again; else the first file's reason.
    """
    _, leading = min(refusals, key=lambda refusal: refusal[1].retry_after_s is None)
    detail = leading.detail
    if len(refusals) > 1:
        detail = f"None of the {len(refusals)} files was taken; `files` says why for each. {detail}"
    files = [
        RefusedFile(filename=name, error=refusal.problem()) for name, refusal in refusals if name is not None
    ]
    return UploadProblem(**leading.problem().model_dump() | {"detail": detail}, files=files)


def _problem_response(description: str, **example: Any) -> dict[str, Any]:
    return {
        "description": description,
        "model": UploadProblem,
        "content": {CONTENT_TYPE: {"example": {"type": "about:blank", **example, "files": []}}},
    }


UPLOAD_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "One or many files; each part with a file name is one, whatever its field is called.",
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

_TAKEN: Final = {
    "filename": "boat.png",
    "id": _ID,
    "r2_key": f"assets/{_ID}.png",
    "mime_type": "image/png",
    "size_bytes": 48213,
    "sha256": _SHA256,
    "status": "pending",
}
_REFUSED: Final = {
    "filename": "notes.txt",
    "error": {
        "type": "about:blank",
        "title": "Unsupported Media Type",
        "status": 415,
        "code": "unsupported_type",
        "detail": "notes.txt is not a picture this service takes: …",
    },
}
UPLOAD_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    202: {
        "description": "At least one file was taken. Each file has an entry, in the order sent; one that was "
        "not taken has `error`. `Retry-After` is set where trying an entry again may help.",
        "content": {
            "application/json": {
                "examples": {
                    "one file": {"value": {"files": [_TAKEN]}},
                    "the same again": {
                        "value": {"files": [{**_TAKEN, "status": "ready", "duplicate_of": _ID}]}
                    },
                    "one good, one bad": {"value": {"files": [_TAKEN, _REFUSED]}},
                }
            }
        },
    },
    408: _problem_response(
        "The body stopped coming.", title="Request Timeout", status=408, code="stalled", detail="…"
    ),
    413: _problem_response(
        "A file, the request or the number of files is over its limit.",
        title="Request Entity Too Large",
        status=413,
        code="file_too_large",
        detail="scan.tif is larger than the 2,147,483,648 bytes that one file may have (DAM_MAX_FILE_BYTES).",
    ),
    415: _problem_response(
        "The content is no accepted picture (`unsupported_type`), or the request no form (`not_multipart`).",
        title="Unsupported Media Type",
        status=415,
        code="unsupported_type",
        detail="notes.txt is not a picture this service takes: …",
    ),
    422: _problem_response(
        "No file in the form (`no_file`), an empty one (`empty_file`), or a broken body (`bad_multipart`).",
        title="Unprocessable Entity",
        status=422,
        code="no_file",
        detail="The form holds no file. …",
    ),
    503: _problem_response(
        "Bucket or queue is down, or too much is being uploaded; `Retry-After` says when to send it again.",
        title="Service Unavailable",
        status=503,
        code="queue_unavailable",
        detail="boat.png is stored, but its job could not be queued: …",
    ),
}
