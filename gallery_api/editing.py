"""Edits of one asset: checked, committed as the next revision, and seen by every read after the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import structlog

from dam.access import visitors
from dam.catalogue import Row
from dam.catalogue.changes import Change, Committed, Refused, Repeated, Stale
from dam.catalogue.row import PURGED
from dam.claims import Claim, change_claim
from dam.errors import CatalogueError, StoreError
from dam.ids import is_id, new_id
from gallery_api import refusals
from gallery_api.answers.asset import Asset, show_row
from gallery_api.if_match import check_revision, optional_revision, required_revision

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.catalogue import Catalogue
    from dam.catalogue.row import Event, Status
    from dam.connections import Connection
    from dam.store.port import ObjectStore
    from gallery_api.following import Follower
    from gallery_api.pending import PendingAssets
    from gallery_api.refusals import RefusalError
    from gallery_api.rows import Rows

log = structlog.get_logger()

DESCRIPTIVE: Final = (
    "filename",
    "caption",
    "caption_by",
    "title",
    "description",
    "tags",
    "rating",
    "text",
    "text_by",
)
"""What a revert brings back: the rest is of the bytes, and does not change."""


class Editor:
    """One for the whole app."""

    def __init__(
        self,
        catalogue: Connection[Catalogue],
        store: Connection[ObjectStore],
        follower: Follower,
        rows: Rows,
        pending: PendingAssets,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._follower = follower
        self._rows = rows
        self._pending = pending

    async def edit(self, asset_id: str, if_match: str | None, values: Mapping[str, Any]) -> Asset:
        """Set values. Raises `RefusalError`."""
        current = await self._current(asset_id)
        expected = required_revision(if_match, current)
        _check_not_deleted(current, "edited")
        return await self._change(current, expected, "edited", current.status, with_author(values))

    async def revert(self, asset_id: str, if_match: str | None, revision: int) -> Asset:
        """Go back to a revision's descriptive fields. Raises `RefusalError`."""
        history = await (await self._catalogue.get()).history(asset_id) if is_id(asset_id) else []
        if not history:
            raise await self._missing(asset_id)
        current = history[-1]
        if current.event == PURGED:
            raise refusals.purged(asset_id)
        expected = required_revision(if_match, current)
        _check_not_deleted(current, "reverted")
        target = next((row for row in history if row.revision == revision), None)
        if target is None:
            raise refusals.no_such_revision(asset_id, revision)
        values = {name: getattr(target, name) for name in DESCRIPTIVE}
        return await self._change(current, expected, "reverted", current.status, values)

    async def delete(self, asset_id: str, if_match: str | None) -> Asset:
        """Take it out of lists and searches; it can be restored. Raises `RefusalError`."""
        current = await self._current(asset_id)
        expected = optional_revision(if_match, current)
        if current.status == "deleted":
            check_revision(current, expected)
            return show_row(current)
        asset = await self._change(current, expected, "deleted", "deleted", {})
        await self._mark_claim(current, "deleted")
        return asset

    async def restore(self, asset_id: str, if_match: str | None) -> Asset:
        """What it was before it was deleted. Raises `RefusalError`."""
        current = await self._current(asset_id)
        expected = optional_revision(if_match, current)
        if current.status != "deleted":
            check_revision(current, expected)
            return show_row(current)
        asset = await self._change(current, expected, "restored", status_before(current), {})
        await self._mark_claim(current, "live")
        return asset

    async def mark_claims(self, rows: list[Row], status: str) -> None:
        """Tell the claims of these rows' contents, for uploads of the same content."""
        for row in rows:
            await self._mark_claim(row, status)

    async def _current(self, asset_id: str) -> Row:
        """The row as of now; whether it still is the newest is for the commit to judge."""
        await self._follower.catch_up()
        values = (await self._rows.find([asset_id])).get(asset_id) if is_id(asset_id) else None
        if values is None:
            raise await self._missing(asset_id)
        if values["event"] == PURGED:
            raise refusals.purged(asset_id)
        return Row(**values)

    async def _missing(self, asset_id: str) -> RefusalError:
        """Why there is no row."""
        if await self._pending.find(asset_id):
            return refusals.wrong_state(asset_id, "pending", "changed before it is captioned")
        return refusals.not_found(asset_id)

    async def _change(
        self, current: Row, expected: int, event: Event, status: Status, values: Mapping[str, Any]
    ) -> Asset:
        """Commit one change; one that changes nothing makes no revision."""
        check_revision(current, expected)
        if status == current.status and is_same(current, values):
            return show_row(current)
        change = Change(current.id, new_id(), expected, event, status, visitors.current().actor, values)
        [outcome] = await (await self._catalogue.get()).commit([change])
        match outcome:
            case Committed(row) | Repeated(row):
                self._follower.note([row])
                return show_row(row)
            case Stale(row) if row is not None and row.event == PURGED:
                raise refusals.purged(row.id)
            case Stale(row) if row is not None:
                raise refusals.stale_revision(row, expected)
            case Refused(reason):
                raise refusals.unwritable(reason)
            case _:
                raise CatalogueError(f"The row of {current.id} has vanished while it was edited.")

    async def _mark_claim(self, row: Row, status: str) -> None:
        """The row is the truth; where the claim cannot be told, an upload of the content says `ready`."""
        if row.sha256 is None or row.r2_key is None:
            return
        claim = Claim.model_validate(
            {"id": row.id, "key": row.r2_key, "size": row.size_bytes or 0, "status": status}
        )
        try:
            await change_claim(await self._store.get(), row.sha256, claim)
        except StoreError as error:
            log.warning("edit.claim_not_told", asset_id=row.id, status=status, error=str(error))


def with_author(values: Mapping[str, Any]) -> dict[str, Any]:
    """A caption that a person wrote says so."""
    return {**values, "caption_by": visitors.current().actor} if "caption" in values else dict(values)


def is_same(row: Row, values: Mapping[str, Any]) -> bool:
    """Whether the row has these values already; empty tags and none are the same, and so is who said it."""
    return all(
        (getattr(row, name) or None) == (value or None) if name == "tags" else getattr(row, name) == value
        for name, value in values.items()
        if name != "caption_by" or "caption" not in values
    )


def status_before(row: Row) -> Status:
    """What a deleted asset was: it failed, or it was ready."""
    return "failed" if row.error_code is not None and row.width is None else "ready"


def _check_not_deleted(current: Row, what: str) -> None:
    if current.status == "deleted":
        raise refusals.wrong_state(current.id, "deleted", f"{what}; restore it first")
