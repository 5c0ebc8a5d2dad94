"""What a writer asks of the catalogue, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dam.catalogue.row import Event, Row, Status


@dataclass(frozen=True, slots=True)
class Change:
    """One new revision of one asset.

    `values` are the columns that change; every other column is taken from the current row (`embedding`
    never is). `expected_revision` is the revision the writer saw, 0 where it saw none.
    """

    asset_id: str
    change_id: str
    expected_revision: int
    event: Event
    status: Status
    actor: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Committed:
    """The change is durable as this row."""

    row: Row


@dataclass(frozen=True, slots=True)
class Repeated:
    """A change with this id was committed before, as this row: nothing was written."""

    row: Row


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else's revision came first; `current` is the row as it is now (None: no row at all)."""

    current: Row | None


@dataclass(frozen=True, slots=True)
class Refused:
    """This row can never be written (a value does not fit its column); its neighbours were."""

    reason: str


Outcome = Committed | Repeated | Stale | Refused
