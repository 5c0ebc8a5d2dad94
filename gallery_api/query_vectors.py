"""The vector of what is searched for: a text, a picture, or an asset that is there.

Called by `searching`. Texts and pictures go to the Bento; an asset's vector is looked up.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import structlog

from dam import keys
from dam.errors import InferenceError, InferenceUnavailableError, ObjectNotFoundError
from dam.ids import is_id
from dam.media import HEAD_BYTES, sniff_type
from gallery_api import refusals
from gallery_api.bento import Embedded
from gallery_api.listing.columns import PURGED

if TYPE_CHECKING:
    from fastapi import UploadFile
    from numpy.typing import NDArray

    from dam.connections import Connection
    from dam.store.port import ObjectStore
    from gallery_api.bento import Bento
    from gallery_api.candidates import Candidates, Scope
    from gallery_api.following import Follower
    from gallery_api.settings import GallerySettings

log = structlog.get_logger()


class QueryVector(NamedTuple):
    """A vector, or why there is none; and how long was waited for it."""

    vector: Embedded | None
    reason: str | None
    seconds: float


class QueryVectors:
    """One for the whole app."""

    def __init__(
        self,
        settings: GallerySettings,
        store: Connection[ObjectStore],
        bento: Bento,
        follower: Follower,
        candidates: Candidates,
    ) -> None:
        self._settings = settings
        self._store = store
        self._bento = bento
        self._follower = follower
        self._candidates = candidates

    async def of_text(self, text: str) -> QueryVector:
        """Of words; the search goes on without where there is none."""
        started = time.perf_counter()
        vector, reason = None, None
        try:
            vector = await self._bento.embed_text(text)
        except (InferenceError, InferenceUnavailableError) as error:
            log.warning("search.without_vector", error=str(error))
            reason = f"{error} Results are from words alone."
        return QueryVector(vector, reason, time.perf_counter() - started)

    async def of_picture(self, image: UploadFile) -> QueryVector:
        """Of a picture. Raises `RefusalError`: there is no search without."""
        data = await image.read(self._settings.max_picture_bytes + 1)
        if len(data) > self._settings.max_picture_bytes:
            raise refusals.invalid(f"The picture is larger than {self._settings.max_picture_bytes:,} bytes.")
        media_type = sniff_type(data[:HEAD_BYTES])
        if media_type is None:
            raise refusals.invalid("What was sent is no picture of an accepted type.")
        started = time.perf_counter()
        try:
            vector = await self._bento.embed_picture(data, media_type.mime_type)
        except InferenceError as error:
            raise refusals.invalid(str(error)) from error
        except InferenceUnavailableError as error:
            raise refusals.unavailable(f"{error} Searching by picture needs it.") from error
        return QueryVector(vector, None, time.perf_counter() - started)

    async def of_asset(self, asset_id: str, scope: Scope) -> Embedded:
        """Of an asset that is there. Raises `RefusalError`."""
        if not is_id(asset_id):
            raise refusals.not_found(asset_id)
        vector = await self._candidates.vector(asset_id, scope)
        columns = self._follower.columns
        slot = columns.find(asset_id)
        if slot is None:
            raise refusals.not_found(asset_id)
        if columns.text("status", slot) == PURGED:
            raise refusals.purged(asset_id)
        model = columns.text("embedding_by", slot)
        if vector is None and model is not None:
            vector = await self._read(asset_id)
        if vector is None or model is None:
            raise refusals.wrong_state(asset_id, "without a vector", "compared")
        return Embedded(vector, model)

    async def _read(self, asset_id: str) -> NDArray[np.float32] | None:
        """The vector's own object."""
        try:
            stored = await (await self._store.get()).get(keys.vector(asset_id))
        except ObjectNotFoundError:
            return None
        return np.asarray(json.loads(stored.data)["embedding"], np.float32)
