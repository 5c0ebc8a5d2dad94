"""Changes as writers make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dam.catalogue import Change
from dam.ids import new_id

if TYPE_CHECKING:
    from dam.catalogue.row import Event


def change(
    asset_id: str | None = None, expected: int = 0, event: Event = "enriched", **values: Any
) -> Change:
    """A change with an id of its own; of a new asset where none is named."""
    given = {"change_id": values.pop("change_id", new_id()), "actor": values.pop("actor", "orchestrator")}
    status = values.pop("status", "deleted" if event == "deleted" else "ready")
    return Change(
        asset_id=asset_id or new_id(),
        expected_revision=expected,
        event=event,
        status=status,
        values=values,
        **given,
    )
