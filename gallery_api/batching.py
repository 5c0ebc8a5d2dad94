"""The same edit on many assets: one commit for all of them, an outcome for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dam.access import visitors
from dam.catalogue.changes import Change, Committed, Refused, Repeated, Stale
from dam.ids import new_id
from gallery_api.answers.editing import BatchAnswer, BatchEdit, BatchOutcome
from gallery_api.editing import is_same, status_before, with_author

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.catalogue import Catalogue, Outcome, Row
    from dam.connections import Connection
    from gallery_api.editing import Editor
    from gallery_api.following import Follower
    from gallery_api.pending import PendingAssets

_ROUNDS: Final = 5
"""An edit that loses a race is made anew on the row as it is then; so often, then it is a conflict."""


class BatchEditor:
    """One for the whole app."""

    def __init__(
        self,
        catalogue: Connection[Catalogue],
        editor: Editor,
        follower: Follower,
        pending: PendingAssets,
    ) -> None:
        self._catalogue = catalogue
        self._editor = editor
        self._follower = follower
        self._pending = pending

    async def apply(self, edit: BatchEdit) -> BatchAnswer:
        """Change every asset that can be changed."""
        ids = list(dict.fromkeys(edit.ids))
        outcomes: dict[str, BatchOutcome] = {}
        changed: list[Row] = []
        catalogue = await self._catalogue.get()
        open_ids = ids
        for _ in range(_ROUNDS):
            rows = await catalogue.current(open_ids)
            changes = []
            for asset_id in open_ids:
                planned = _plan(asset_id, rows.get(asset_id), edit)
                if isinstance(planned, Change):
                    changes.append(planned)
                else:
                    outcomes[asset_id] = planned
            results = await catalogue.commit(changes)
            changed += _take(changes, results, outcomes)
            open_ids = [change.asset_id for change in changes if change.asset_id not in outcomes]
            if not open_ids:
                break
        for asset_id in open_ids:
            outcomes[asset_id] = BatchOutcome(
                id=asset_id, status="conflict", reason="Others change it all the time; try again."
            )
        await self._explain_missing(outcomes)
        self._follower.note(changed)
        if edit.delete or edit.restore:
            await self._editor.mark_claims(changed, "deleted" if edit.delete else "live")
        return BatchAnswer(outcomes=[outcomes[asset_id] for asset_id in ids])

    async def _explain_missing(self, outcomes: dict[str, BatchOutcome]) -> None:
        """An asset without a row may be one that waits for its first."""
        for asset_id in [key for key, outcome in outcomes.items() if outcome.status == "not_found"]:
            if await self._pending.find(asset_id):
                reason = "It is pending: it cannot be changed before it is captioned."
                outcomes[asset_id] = BatchOutcome(id=asset_id, status="refused", reason=reason)


def _take(
    changes: Sequence[Change], results: Sequence[Outcome], outcomes: dict[str, BatchOutcome]
) -> list[Row]:
    """Note what became of each change; a stale one stays open. Returns the new rows."""
    rows = []
    for change, result in zip(changes, results, strict=True):
        match result:
            case Committed(row) | Repeated(row):
                rows.append(row)
                outcomes[row.id] = BatchOutcome(id=row.id, status="changed", revision=row.revision)
            case Refused(reason):
                outcomes[change.asset_id] = BatchOutcome(id=change.asset_id, status="refused", reason=reason)
            case Stale():
                pass
    return rows


def _plan(asset_id: str, row: Row | None, edit: BatchEdit) -> Change | BatchOutcome:
    """The change of one asset, or why there is none."""
    if row is None or row.event == "purged":
        return BatchOutcome(id=asset_id, status="not_found", reason="There is no such asset.")
    if edit.delete:
        return _unchanged(row) if row.status == "deleted" else _change(row, "deleted", "deleted", {})
    if edit.restore:
        is_deleted = row.status == "deleted"
        return _change(row, "restored", status_before(row), {}) if is_deleted else _unchanged(row)
    if row.status == "deleted":
        return BatchOutcome(
            id=asset_id, status="refused", revision=row.revision, reason="It is deleted; restore it first."
        )
    values = _edited(row, edit)
    return _unchanged(row) if is_same(row, values) else _change(row, "edited", row.status, values)


def _edited(row: Row, edit: BatchEdit) -> dict[str, Any]:
    values = with_author(edit.set.values()) if edit.set else {}
    if edit.add_tags or edit.remove_tags:
        tags = values.get("tags", row.tags) or []
        kept = [tag for tag in tags if tag not in edit.remove_tags]
        values["tags"] = list(dict.fromkeys([*kept, *edit.add_tags]))
    return values


def _change(row: Row, event: Any, status: Any, values: dict[str, Any]) -> Change:
    return Change(row.id, new_id(), row.revision, event, status, visitors.current().actor, values)


def _unchanged(row: Row) -> BatchOutcome:
    return BatchOutcome(id=row.id, status="unchanged", revision=row.revision)
