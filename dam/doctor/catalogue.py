"""The catalogue: whether its table opens and its rows can be read. Makes none where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dam.doctor.findings import Finding, Tell, Verdict
from dam.store.delta import delta_location
from dam.threads import run_apart

if TYPE_CHECKING:
    from dam.doctor.settings import DoctorSettings


async def check_catalogue(settings: DoctorSettings, tell: Tell) -> None:
    """One finding. Raises `CatalogueUnavailableError` for a table that cannot be read."""
    tell(await run_apart(lambda: _read(settings)))


def _read(settings: DoctorSettings) -> Finding:
    from dam.catalogue.storage import TableHandle  # noqa: PLC0415 - an ingest machine has no pyarrow

    handle = TableHandle.find(*delta_location(settings))
    if handle is None:
        return Finding("catalogue", Verdict.WELL, "There is none yet; the orchestrator makes it.")
    rows = sum(batch.num_rows for batch in handle.scan(["id"]))
    return Finding("catalogue", Verdict.WELL, f"Version {handle.refresh()} has {rows:,} rows, all readable.")
