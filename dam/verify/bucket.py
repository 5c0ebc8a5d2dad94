"""One verification from beginning to end: the table, every asset, every claim, the snapshot, the index.

`dam verify` and the fault tests call `verify_bucket`. Everything is looked at once; what looked wrong is
looked at again after a while, and only what is wrong both times is a finding.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from dam import keys
from dam.catalogue.storage import TableHandle
from dam.errors import CatalogueUnavailableError
from dam.maintenance.scratch import scratch_folder
from dam.maintenance.worker import Worker
from dam.store.delta import delta_location
from dam.verify.assets import AssetLook
from dam.verify.contents import ClaimLook
from dam.verify.findings import Finding, Kind, Mending, Report
from dam.verify.index import check_index
from dam.verify.mending import Mender
from dam.verify.objects import owner_in_space
from dam.verify.options import VerifyOptions
from dam.verify.scope import Scope
from dam.verify.snapshot import SnapshotLook
from dam.verify.spaces import find_orphans
from dam.verify.states import States
from dam.verify.suspects import Suspects
from dam.verify.table import TableFiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from dam.maintenance.settings import MaintenanceSettings
    from dam.queue.port import JobQueue
    from dam.store.port import ObjectInfo, ObjectStore

_FOREIGN: Final = "Nothing of ours lies at such a key: see who put it there."
_LEFT: Final = "It is left alone."
_SKIPPED: Final = "The catalogue cannot be read, so nothing beyond its own files was checked."


async def verify_bucket(
    settings: MaintenanceSettings,
    store: ObjectStore,
    queue: JobQueue | None = None,
    options: VerifyOptions | None = None,
    advance: Callable[[int], None] | None = None,
) -> Report:
    """Check a whole bucket; with `options.repair` mend what can be mended, which needs the `queue`.

    Without a `queue` an original without a row is a finding even while its job waits there. `advance` hears
    of how many assets and contents are done with.

    Raises:
        StoreUnavailableError, CatalogueUnavailableError, QueueUnavailableError: it could not be checked.
    """
    options = options or VerifyOptions()
    report = Report()
    worker = Worker("verify")
    unmended = Mending.NOT_POSSIBLE if options.repair else Mending.NOT_TRIED

    try:
        with scratch_folder() as folder:
            others = Suspects(folder / "others.jsonl")

            def tell_other(found: ObjectInfo) -> None:
                owner = owner_in_space(found.key)
                if owner is None:
                    report.add(Finding(Kind.FOREIGN, found.key, _FOREIGN, _LEFT, None, unmended))
                elif not found.key.startswith(keys.FORMER_ASSETS_VECTORS):  # these join with the assets
                    others.add(owner, {found.key})

            scope = Scope(
                settings=settings,
                store=store,
                queue=queue,
                options=options,
                worker=worker,
                folder=folder,
                oldest=datetime.now(UTC) - timedelta(seconds=options.min_age_s),
                report=report,
                advance=advance or (lambda _: None),
                tell_other=tell_other,
            )
            await _Verification(scope, others).run()
    finally:
        worker.close()
    return report


class _Verification:
    """One run."""

    def __init__(self, scope: Scope, others: Suspects) -> None:
        self._scope = scope
        self._others = others
        self._report = scope.report

    async def run(self) -> None:
        """Fill in the report."""
        files = TableFiles(self._scope.store, self._scope.settings, self._scope.worker)
        await self._check_table(files)
        if not files.is_readable:
            self._report.skipped.append(_SKIPPED)
            return
        handle = await self._open()
        if handle is None:
            return
        self._report.table_version = await self._scope.worker.run(handle.refresh)
        await self._check_objects(handle)
        if files.has_cut_files:
            self._report.skipped.append("The snapshot and the index: a file of an older version is cut.")
        else:
            await self._check_derived(handle)

    async def _check_table(self, files: TableFiles) -> None:
        suspected = {finding.key for finding in await files.check()}
        if suspected:
            await self._settle()
            for finding in await files.check():
                if finding.key in suspected:
                    self._report.add(replace(finding, mending=self._unmended()))

    async def _open(self) -> TableHandle | None:
        scope = self._scope
        try:
            handle = await scope.worker.run(lambda: TableHandle.find(*delta_location(scope.settings)))
        except CatalogueUnavailableError as error:
            await scope.store.ping()
            remedy = "Put back what the other findings name; without any, see that the settings are right."
            self._report.add(
                Finding(Kind.TABLE_UNREADABLE, keys.TABLE, str(error), remedy, None, self._unmended())
            )
            self._report.skipped.append(_SKIPPED)
            return None
        if handle is None:
            async for original in scope.store.list(keys.ASSETS):
                self._report.skipped.append(
                    f"There are originals ({original.key}, …) and no catalogue: start the orchestrator, or "
                    "put back what lay below metadata/images/; `dam reconcile` queues every original."
                )
                break
        return handle

    async def _check_objects(self, handle: TableHandle) -> None:
        scope = self._scope
        assets = AssetLook(scope, handle)
        claims = ClaimLook(scope, handle)
        states = States(handle, scope.folder, scope.settings, scope.worker)
        doubtful = Suspects(scope.folder / "assets.jsonl")
        by_id = states.by_id(with_vectors=not scope.options.quick)
        await assets.first(by_id, doubtful)
        disputed = Suspects(scope.folder / "claims.jsonl")
        await claims.first(states.by_content(), disputed)
        if doubtful.count or disputed.count:
            await self._settle()
        mender = Mender(scope, handle)
        await self._look_again_at_assets(assets, doubtful, mender)
        await self._look_again_at_claims(claims, disputed, mender)
        for lines in self._others.read():
            for finding in await find_orphans(scope, handle, lines):
                self._report.add(await mender.mend_other(finding))

    async def _look_again_at_assets(self, assets: AssetLook, doubtful: Suspects, mender: Mender) -> None:
        jobs_wait = await self._do_jobs_wait()
        for lines in doubtful.read():
            for facts, findings in await assets.second(lines):
                waiting = [item for item in findings if jobs_wait and item.kind is Kind.ROW_MISSING]
                self._report.pending += len(waiting)
                for finding in await mender.mend_asset(
                    facts, [item for item in findings if item not in waiting]
                ):
                    self._report.add(finding)

    async def _look_again_at_claims(self, claims: ClaimLook, disputed: Suspects, mender: Mender) -> None:
        for lines in disputed.read():
            for facts, wrong in await claims.second(lines):
                if wrong is not None:
                    self._report.add(await mender.mend_claim(facts, wrong))

    async def _check_derived(self, handle: TableHandle) -> None:
        scope = self._scope
        snapshot = SnapshotLook(scope.store, scope.settings, scope.worker, scope.folder)
        if await snapshot.check(handle) is not None:
            await self._settle()
            if (wrong := await snapshot.check(handle)) is not None:
                mending = await snapshot.publish_anew() if scope.options.repair else wrong.mending
                self._report.add(replace(wrong, mending=mending))
        if await self._check_index(handle) is not None:
            await self._settle()
            if (wrong := await self._check_index(handle)) is not None:
                self._report.add(replace(wrong, mending=self._unmended()))

    async def _check_index(self, handle: TableHandle) -> Finding | None:
        version = await self._scope.worker.run(handle.refresh)
        return await check_index(self._scope.store, str(handle.delta.metadata().id), version)

    async def _settle(self) -> None:
        """Wait until what looked wrong has had its time."""
        await asyncio.sleep(self._scope.options.settle_s)

    async def _do_jobs_wait(self) -> bool:
        if self._scope.queue is None:
            return False
        depth = await self._scope.queue.depth()
        return bool(depth.ready or depth.in_flight or depth.delayed or depth.dead)

    def _unmended(self) -> Mending:
        return Mending.NOT_POSSIBLE if self._scope.options.repair else Mending.NOT_TRIED
