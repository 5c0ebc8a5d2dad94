"""The demo's main job: upload a folder of pictures, wait for every one, and count from the bucket.

Called by `dam demo`. It sees the services only as a client would: it uploads over HTTP and reads the
catalogue, the snapshot and the vectors; it trusts no service's own counters.
"""

from __future__ import annotations

import asyncio
import io
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow.parquet as pq

from dam import keys
from dam.errors import ObjectNotFoundError
from dam.uploads import UploadResult, upload_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pydantic import SecretStr

    from dam.catalogue import Catalogue, Row
    from dam.local.processes import Child
    from dam.store import ObjectStore

_POLL_S = 0.3
_PARALLEL = 8


class Progress(Protocol):
    """What the command line shows while work goes on."""

    def expect(self, total: int) -> None:
        """`total` assets were taken; the other files were refused, or are the same picture twice."""

    def uploaded(self) -> None:
        """One more file was answered."""

    def finished(self, count: int) -> None:
        """`count` assets have ended so far."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of every file, as read from the bucket."""

    results: Sequence[UploadResult]
    rows: Mapping[str, Row]
    snapshot_rows: int
    vectors: int
    seconds: float
    truth: Mapping[str, str] | None

    @property
    def ready(self) -> list[Row]:
        """Rows of assets that were enriched, in the order of their files."""
        return self._with_status("ready")

    @property
    def failed(self) -> list[Row]:
        """Rows of assets that failed, with their reasons, in the order of their files."""
        return self._with_status("failed")

    @property
    def refused(self) -> list[UploadResult]:
        """Files that are not in the bucket, each with its reason."""
        return [result for result in self.results if not result.is_there]

    def report(self) -> dict[str, Any]:
        """The figures of `--report`; `uploaded` counts distinct assets that were taken."""
        return {
            "files": len(self.results),
            "uploaded": len(_accepted(self.results)),
            "already_there": sum(result.outcome == "duplicate" for result in self.results),
            "refused": len(self.refused),
            "enriched": len(self.ready),
            "failed": len(self.failed),
            "rows": self.snapshot_rows,
            "vectors": self.vectors,
            "seconds": round(self.seconds, 3),
            "images_per_second": round(len(self.rows) / self.seconds, 3) if self.seconds else None,
            "caption_exact_match": self._match_captions(),
        }

    def _with_status(self, status: str) -> list[Row]:
        ids = dict.fromkeys(result.asset_id for result in self.results if result.asset_id)
        return [self.rows[key] for key in ids if key in self.rows and self.rows[key].status == status]

    def _match_captions(self) -> float | None:
        """Share of enriched pictures whose caption is the true one, word for word; None without a truth."""
        if self.truth is None:
            return None
        known = [row for row in self.ready if row.filename in self.truth]
        if not known:
            return None
        return sum(row.caption == self.truth[str(row.filename)] for row in known) / len(known)


@dataclass(frozen=True, slots=True)
class PictureRun:
    """One pass of files through running services, watched from outside."""

    store: ObjectStore
    catalogue: Catalogue
    ingest_url: str
    children: Sequence[Child]
    progress: Progress
    token: SecretStr | None

    async def process(self, paths: Sequence[Path], truth: Mapping[str, str] | None) -> Outcome:
        """Upload `paths` and wait until every accepted one has ended and the snapshot shows it.

        Raises:
            ProcessDiedError: one of the services ended meanwhile.
        """
        started = time.perf_counter()
        results = await upload_files(
            self.ingest_url,
            paths,
            parallel=_PARALLEL,
            on_done=lambda _result: self.progress.uploaded(),
            token=self.token,
        )
        ids = _accepted(results)
        self.progress.expect(len(ids))
        rows = await self._wait_for_rows(ids)
        seconds = time.perf_counter() - started
        ready = [row for row in rows.values() if row.status == "ready"]
        snapshot_rows = await self._wait_for_snapshot({row.id for row in ready})
        vectors = await self._count_vectors(ready)
        return Outcome(results, rows, snapshot_rows, vectors, seconds, truth)

    async def _wait_for_rows(self, ids: set[str]) -> dict[str, Row]:
        """Every one of `ids` has its row in the end: a job cannot vanish, so there is no deadline."""
        rows: dict[str, Row] = {}
        while True:
            self._check_children()
            rows |= await self.catalogue.current(ids - rows.keys())
            self.progress.finished(len(rows))
            if len(rows) == len(ids):
                return rows
            await asyncio.sleep(_POLL_S)

    async def _wait_for_snapshot(self, ids: set[str]) -> int:
        """Wait until the published snapshot holds every one of `ids`; how many of them it holds."""
        while True:
            self._check_children()
            found = len(ids & await self._read_snapshot_ids())
            if found == len(ids):
                return found
            await asyncio.sleep(_POLL_S)

    async def _read_snapshot_ids(self) -> set[str]:
        try:
            snapshot = await self.store.get(keys.SNAPSHOT)
        except ObjectNotFoundError:
            return set()
        return set(pq.read_table(io.BytesIO(snapshot.data), columns=["id"])["id"].to_pylist())

    async def _count_vectors(self, rows: Sequence[Row]) -> int:
        """How many of these rows have a vector whose length is the dimension it states."""
        count = 0
        for row in rows:
            vector = json.loads((await self.store.get(str(row.vector_key))).data)
            count += vector["id"] == row.id and len(vector["embedding"]) == vector["dim"]
        return count

    def _check_children(self) -> None:
        for child in self.children:
            child.check()


def _accepted(results: Sequence[UploadResult]) -> set[str]:
    return {result.asset_id for result in results if result.asset_id is not None}
