"""An open table that lives long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.catalogue import Catalogue, storage
from dam.store.delta import delta_location
from tests.catalogue.rows import enrich

if TYPE_CHECKING:
    import pytest

    from dam.settings import DamSettings


async def test_a_handle_that_was_opened_anew_sees_and_writes_as_before(
    settings: DamSettings, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On both kinds of bucket: it is another handle of the library, at the newest version, still writable."""
    monkeypatch.setattr(storage, "_OPEN_ANEW_AFTER", 3)
    reading = storage.TableHandle.open(*delta_location(settings))
    first = reading.delta
    rows = [row for _ in range(4) for row in await enrich(catalogue, 2)]
    assert reading.refresh() == 4
    assert reading.delta is not first
    found = reading.read_revisions([row.id for row in rows])
    assert {key: revisions[0].change_id for key, revisions in found.items()} == {
        row.id: row.change_id for row in rows
    }
    [row] = await enrich(catalogue, 1)
    assert set(await catalogue.current([row.id, rows[0].id])) == {row.id, rows[0].id}
    assert reading.refresh() == 5
