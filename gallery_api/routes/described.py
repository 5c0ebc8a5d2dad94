"""What every route shares: the gallery it works on, and how its errors are described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import Depends, Header, Path, Request

from dam.problem import CONTENT_TYPE, Problem
from gallery_api.answers.asset import EXAMPLE_ID
from gallery_api.answers.editing import ConflictProblem
from gallery_api.gallery import Gallery

if TYPE_CHECKING:
    from pydantic import BaseModel

Responses = dict[int | str, dict[str, Any]]


async def find_gallery(request: Request) -> Gallery:
    """The one that the app was made with. Not a plain function: FastAPI would hand each call to a thread."""
    gallery = request.app.state.gallery
    assert isinstance(gallery, Gallery)  # noqa: S101 - the app's own state
    return gallery


Here = Annotated[Gallery, Depends(find_gallery)]
AssetId = Annotated[str, Path(description="The asset's id.", examples=[EXAMPLE_ID])]
IfMatch = Annotated[
    str | None,
    Header(description="The revision the change is meant for, quoted: the asset's ETag.", examples=['"3"']),
]


def _problem(description: str, model: type[BaseModel] = Problem) -> dict[str, Any]:
    return {
        "description": description,
        "content": {CONTENT_TYPE: {"schema": {"$ref": f"#/components/schemas/{model.__name__}"}}},
    }


NOT_FOUND: Final[Responses] = {404: _problem("No such asset (`not_found`), or it was purged (`purged`).")}
UNAVAILABLE: Final[Responses] = {
    503: _problem("Bucket, queue or a service behind is down; `Retry-After` says when to try again.")
}
CONFLICT: Final[Responses] = {
    409: _problem("The asset's state does not allow it (`wrong_state`)."),
    412: _problem("Somebody else's revision came first (`stale_revision`).", ConflictProblem),
}
NEEDS_MATCH: Final[Responses] = {
    428: _problem("`If-Match` is missing (`if_match_missing`): say which revision the change is meant for.")
}
INVALID: Final[Responses] = {422: _problem("A parameter or the body is wrong (`invalid_request`).")}
BAD_TOKEN: Final[Responses] = {401: _problem("The token is unknown, revoked or over (`bad_token`).")}
BODY: Final[Responses] = {
    408: _problem("The body stopped coming (`stalled`)."),
    413: _problem("The body is over its limit (`too_large`)."),
}
NO_RANGE: Final[Responses] = {416: _problem("The object ends before that range (`range_not_satisfiable`).")}
BAD_UPLOAD: Final[Responses] = {
    408: _problem("The body stopped coming (`stalled`)."),
    413: _problem("A file, the request or the number of files is over its limit."),
    415: _problem("The content is no accepted picture (`unsupported_type`), or the request no form."),
    422: _problem("No file in the form, an empty one, or a broken body."),
}
"""Ingest's refusals; `files` says why for each file."""
EXTRA_MODELS: Final = (Problem, ConflictProblem)
"""Named by the errors above; the OpenAPI page adds them."""
