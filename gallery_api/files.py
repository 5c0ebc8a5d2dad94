"""Originals, thumbnails and vectors: a signed URL where the bucket signs, else the bytes, with ranges.

What people upload is sent back only as what it is: no sniffing, no scripts, and what is no picture only as a
download.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response, StreamingResponse

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.media import MEDIA_TYPES
from gallery_api import refusals
from gallery_api.ranges import Requested

if TYPE_CHECKING:
    from dam.connections import Connection
    from dam.store.port import ObjectInfo, ObjectStore
    from gallery_api.browsing import Browser
    from gallery_api.settings import GallerySettings

_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
_SHOWN: Final = frozenset(media.mime_type for media in MEDIA_TYPES)
_NEVER_CHANGES: Final = "private, max-age=31536000, immutable"
_MAY_CHANGE: Final = "private, max-age=60"


class Files:
    """One for the whole app."""

    def __init__(self, store: Connection[ObjectStore], browser: Browser, settings: GallerySettings) -> None:
        self._store = store
        self._browser = browser
        self._settings = settings

    async def original(
        self, asset_id: str, requested: Requested, if_none_match: str | None, *, download: bool
    ) -> Response:
        """The uploaded bytes. Raises `RefusalError`."""
        asset = await self._browser.find(asset_id)
        if asset.r2_key is None:
            raise refusals.no_file(asset_id, "original")
        name = asset.filename or asset.r2_key.rpartition("/")[2]
        is_shown = asset.mime_type in _SHOWN and not download
        answer = _Answer(asset.mime_type or "application/octet-stream", _NEVER_CHANGES, requested)
        answer.headers["Content-Disposition"] = _disposition(name, inline=is_shown)
        return await self._send(asset_id, asset.r2_key, answer, if_none_match, None if is_shown else name)

    async def thumbnail(self, asset_id: str, size: int, if_none_match: str | None) -> Response:
        """A derived picture. Raises `RefusalError`."""
        asset = await self._browser.find(asset_id)
        return await self._send(
            asset.id, keys.thumbnail(asset.id, size), _Answer("image/webp", _MAY_CHANGE), if_none_match
        )

    async def vector(self, asset_id: str, if_none_match: str | None) -> Response:
        """The embedding, as JSON. Raises `RefusalError`."""
        asset = await self._browser.find(asset_id)
        if asset.vector_key is None:
            raise refusals.no_file(asset_id, "vector")
        return await self._send(
            asset.id, asset.vector_key, _Answer("application/json", _MAY_CHANGE), if_none_match
        )

    async def _send(
        self, asset_id: str, key: str, answer: _Answer, if_none_match: str | None, name: str | None = None
    ) -> Response:
        store = await self._store.get()
        signed = await store.sign_url(key, expires_s=self._settings.signed_url_s, filename=name)
        if signed:
            # The browser may keep the redirect for a part of the time that the URL works.
            kept = f"private, max-age={self._settings.signed_url_s // 4}"
            return RedirectResponse(signed, HTTPStatus.TEMPORARY_REDIRECT, {"Cache-Control": kept, **_SAFE})
        try:
            info = await store.head(key)
        except ObjectNotFoundError as error:
            raise refusals.no_file(asset_id, f"object at {key}") from error
        return answer.make(store, info, if_none_match)


class _Answer:
    """How an object is sent: its type, how long it may be kept, and which range."""

    def __init__(self, media_type: str, cache: str, requested: Requested | None = None) -> None:
        self._media_type = media_type
        self._requested = requested or Requested()
        self.headers = {"Cache-Control": cache, "Accept-Ranges": "bytes", **_SAFE}

    def make(self, store: ObjectStore, info: ObjectInfo, if_none_match: str | None) -> Response:
        """The answer with the object's bytes, or that the client has them."""
        etag = f'"{info.etag.strip(chr(34))}"'
        headers = self.headers | {"ETag": etag}
        if if_none_match and etag in [item.strip().removeprefix("W/") for item in if_none_match.split(",")]:
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        wanted = self._requested.read(info.size, etag)
        start, end = wanted or (0, info.size)
        headers["Content-Length"] = str(end - start)
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{info.size}"
        return StreamingResponse(
            store.stream(info.key, start, end),
            HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK,
            headers,
            self._media_type,
        )


def _disposition(name: str, *, inline: bool) -> str:
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"
