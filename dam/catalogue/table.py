"""The catalogue's public face: opens the Delta table, commits changes and reads rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from dam.catalogue.changes import Change, Outcome
    from dam.catalogue.row import Row
    from dam.settings import DamSettings


class Catalogue:
    """One handle per process; safe to use from many tasks at once."""

    @classmethod
    async def open(cls, settings: DamSettings) -> Self:
        """Open the table, creating it where there is none. Raises `CatalogueUnavailableError`."""
        raise NotImplementedError

    async def commit(self, changes: Sequence[Change]) -> list[Outcome]:
        """Commit changes, coalesced with those of other callers; one outcome each, in order.

        Raises:
            CatalogueUnavailableError: nothing is known to be written; the same changes may be given again.
        """
        raise NotImplementedError

    async def current(self, ids: Collection[str]) -> dict[str, Row]:
        """The current row (highest revision) of each of these ids that has one, as of now."""
        raise NotImplementedError

    async def history(self, asset_id: str) -> list[Row]:
        """Every revision of one asset, oldest first."""
        raise NotImplementedError

    async def version(self) -> int:
        """The table's version as of now."""
        raise NotImplementedError

    async def close(self) -> None:
        """Finish what is waiting and release the handle."""
        raise NotImplementedError
