"""Puts the parts of the service together, opens them, keeps them following, and closes them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from dam.access.sources import BookTokens
from dam.access.starting import MAKE_ONE, check_host
from dam.catalogue import Catalogue
from dam.connections import Connection
from dam.errors import (
    CatalogueUnavailableError,
    DamError,
    IndexUnavailableError,
    QueueUnavailableError,
    SettingsError,
    StoreUnavailableError,
)
from dam.memory import drop_code
from dam.search.reader import IndexReader
from gallery_api.batching import BatchEditor
from gallery_api.bento import Bento
from gallery_api.browsing import Browser
from gallery_api.candidates import Candidates
from gallery_api.editing import Editor
from gallery_api.events import EventStreams
from gallery_api.exporting import Exporter
from gallery_api.figures import Figures
from gallery_api.files import Files
from gallery_api.following import Follower
from gallery_api.jobs import JobDesk
from gallery_api.passing import UploadPassing
from gallery_api.pending import PendingAssets
from gallery_api.query_vectors import QueryVectors
from gallery_api.rows import Rows
from gallery_api.searching import Searcher
from gallery_api.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dam.queue.port import JobQueue
    from dam.settings import DamSettings
    from dam.store.port import ObjectStore
    from gallery_api.settings import GallerySettings

log = structlog.get_logger()


class Gallery:
    """Everything that a request may need. Nothing is opened before `open`."""

    def __init__(
        self,
        settings: GallerySettings,
        store_opener: Callable[[DamSettings], Awaitable[ObjectStore]],
        queue_opener: Callable[[DamSettings], Awaitable[JobQueue]],
    ) -> None:
        self._settings = settings
        limit = settings.connect_timeout_s
        self.store: Connection[ObjectStore] = Connection(
            "store", lambda: store_opener(settings), StoreUnavailableError, limit
        )
        self.queue: Connection[JobQueue] = Connection(
            "queue", lambda: queue_opener(settings), QueueUnavailableError, limit
        )
        self.catalogue: Connection[Catalogue] = Connection(
            "catalogue", lambda: Catalogue.open(settings), CatalogueUnavailableError, limit
        )
        self.tokens = BookTokens(self.store.get)
        self.sessions = Sessions(self.tokens)
        self.follower = Follower(settings)
        self.index = IndexReader(settings)
        self.bento = Bento(settings)
        self.passing = UploadPassing(settings)
        self._following: list[asyncio.Task[None]] = []
        self._make_parts()

    def _make_parts(self) -> None:
        pending = PendingAssets(self.store, self.follower)
        rows = Rows(self.catalogue, self.index, self.follower)
        candidates = Candidates(self.index, self.follower)
        self.browser = Browser(self.catalogue, self.follower, rows, pending)
        self.editor = Editor(self.catalogue, self.store, self.follower, rows, pending)
        self.batches = BatchEditor(self.catalogue, self.editor, self.follower, pending)
        vectors = QueryVectors(self._settings, self.store, self.bento, self.follower, candidates)
        self.searcher = Searcher(vectors, self.index, self.follower, candidates, rows)
        self.files = Files(self.store, self.browser, self._settings)
        self.jobs = JobDesk(self.store, self.queue, self.catalogue, self.follower, self.browser, pending)
        self.figures = Figures(self.follower, self.index, self.bento)
        self.events = EventStreams(self.follower, self._settings)
        self.exporter = Exporter(self.follower, rows)

    async def open(self) -> None:
        """Open once what can be opened; what is only down is tried again when it is needed.

        Raises:
            SettingsError: the settings can never work, or there are no tokens and others reach where it
                listens; the process must not start.
            AccessError: the tokens are there and cannot be understood.
        """
        for action in (self.store.get, self.queue.get, self.catalogue.get, self._begin):
            try:
                await action()
            except SettingsError:
                raise
            except DamError as error:
                log.warning("gallery.unavailable", error=str(error))
        await check_host(self._settings.host, self.tokens, MAKE_ONE)
        drop_code()

    def start(self) -> None:
        """Follow catalogue and index from now on."""
        self._following = [
            asyncio.create_task(self.follower.run(), name="follow-catalogue"),
            asyncio.create_task(self._follow_index(), name="follow-index"),
        ]

    async def close(self) -> None:
        """Stop following and release everything."""
        for task in self._following:
            task.cancel()
        if self._following:
            await asyncio.wait(self._following)
        await self.events.close()
        await self.follower.close()
        for part in (self.bento, self.passing, self.queue, self.catalogue, self.store):
            with suppress(DamError):
                await part.close()
        self.index.close()

    async def ping_bento(self) -> None:
        """Raise unless searches can be embedded; the gallery works without, and says so."""
        models = await self.bento.describe_models()
        if not models.available:
            raise DamError(models.reason or "The Bento does not answer.")

    async def _begin(self) -> None:
        """The columns from the table, the index, and the rows between the two."""
        await self.follower.catch_up()
        await self._look_at_index()

    async def _look_at_index(self) -> None:
        try:
            await self.index.refresh(await self.store.get())
        except IndexUnavailableError as error:
            log.warning("index.unreadable", error=str(error))
            self.index.forget()
        await self.follower.follow_index(self.index.state.version if self.index.state else None)

    async def _follow_index(self) -> None:
        while True:
            await asyncio.sleep(self._settings.follow_s)
            try:
                await self._look_at_index()
            except DamError as error:
                log.warning("index.follow_failed", error=str(error))
