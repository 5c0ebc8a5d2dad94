"""Serves the built gallery: its files as they are, and its one page for every address of its own."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import Scope

_PAGE: Final = "index.html"
_FALLBACKS: Final = ("200.html", _PAGE)
_IMMUTABLE: Final = "_app/immutable/"
_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


class Frontend(StaticFiles):
    """A folder of static files with a fallback page: the gallery routes in the browser."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder, html=True)
        self._fallback = next((name for name in _FALLBACKS if (folder / name).is_file()), _PAGE)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or the page where none has that name and the name is no file's."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != HTTPStatus.NOT_FOUND or _names_a_file(path):
                raise
            response = await super().get_response(self._fallback, scope)
        headers: dict[str, Any] = {**_SECURITY}
        headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if path.startswith(_IMMUTABLE) else "no-cache"
        )
        response.headers.update(headers)
        return response


def _names_a_file(path: str) -> bool:
    return "." in path.rpartition("/")[2]
