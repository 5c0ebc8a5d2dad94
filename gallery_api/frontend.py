"""Serves the built gallery: files, packed where the build did that, and one page for all its addresses."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    import os

    from starlette.responses import Response
    from starlette.types import Scope

_PAGE: Final = "index.html"
_FALLBACKS: Final = ("200.html", _PAGE)
_IMMUTABLE: Final = "_app/immutable/"
_PACKED: Final = (("br", ".br"), ("gzip", ".gz"))
"""Content codings, best first, and how the build names a file that is packed so."""


class Frontend(StaticFiles):
    """A folder of static files with a fallback page: the gallery routes in the browser."""

    def __init__(self, folder: Path, bucket_origin: str | None) -> None:
        """`bucket_origin` is where signed URLs lead to, in a bucket that signs."""
        super().__init__(directory=folder, html=True)
        self._policy = make_policy(bucket_origin)
        self._fallback = next((name for name in _FALLBACKS if (folder / name).is_file()), _PAGE)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """The file, or what the build made of it in a coding that the browser takes."""
        packed, coding = _find_packed(Path(full_path), Headers(scope=scope).get("accept-encoding", ""))
        if coding:
            stat_result = packed.stat()
        response = super().file_response(packed, stat_result, scope, status_code)
        if coding:
            response.headers["Content-Encoding"] = coding
        response.headers["Vary"] = "Accept-Encoding"
        return response

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A file, or the page where none has that name and the name is no file's."""
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != HTTPStatus.NOT_FOUND or _names_a_file(path):
                raise
            response = await super().get_response(self._fallback, scope)
        is_immutable = path.startswith(_IMMUTABLE)
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if is_immutable else "no-cache"
        )
        response.headers["Content-Security-Policy"] = self._policy
        return response


def make_policy(bucket_origin: str | None) -> str:
    """What a page may load and from where: itself, and pictures from the bucket.

    Of scripts the page says itself, by hash, which one in it may run: only its build knows.
    """
    pictures = f" {bucket_origin}" if bucket_origin else ""
    return "; ".join(
        (
            f"img-src 'self' data: blob:{pictures}",
            f"media-src 'self' blob:{pictures}",
            "style-src 'self' 'unsafe-inline'",  # components place what floats by style attributes
            "font-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "frame-src 'none'",
            "worker-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def _names_a_file(path: str) -> bool:
    return "." in path.rpartition("/")[2]


def _find_packed(path: Path, accepted: str) -> tuple[Path, str]:
    """The smallest form of a file that the browser takes, and its coding; the file itself has none."""
    codings = {coding.partition(";")[0].strip() for coding in accepted.split(",")}
    for coding, ending in _PACKED:
        packed = path.with_name(path.name + ending)
        if coding in codings and packed.is_file():
            return packed, coding
    return path, ""
