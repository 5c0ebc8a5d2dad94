"""`dam verify`, as a program reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dam import keys
from tests.maintenance.processes import run_dam
from tests.verify.bucket import open_verified
from tests.verify.test_findings import fill

if TYPE_CHECKING:
    from dam.maintenance.settings import MaintenanceSettings


async def test_findings_as_json(local_settings: MaintenanceSettings) -> None:
    """One object with every finding, and how many there are of each kind; status 1."""
    async with open_verified(local_settings) as verified:
        row = await fill(verified)
        await verified.store.delete(keys.thumbnail(row.id, 256))
    done = run_dam(local_settings, "verify", "--json", "--min-age", "0", "--settle", "0")
    assert (done.returncode, done.stderr) == (1, "")
    report = json.loads(done.stdout)
    assert (report["clean"], report["counts"]) == (False, {"thumbnail_missing": 1})
    assert report["mendings"] == {"not tried": 1}
    assert [finding["key"] for finding in report["findings"]] == [keys.thumbnail(row.id, 256)]
