"""What the doctor says of a bucket on a real S3 server, healthy and broken, and of a folder."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from dam.catalogue import Catalogue
from dam.store.opening import open_store
from tests.doctor.proxy import LyingProxy
from tests.store.opening import keys as listed

if TYPE_CHECKING:
    from tests.doctor.examining import Examined, Patient
    from tests.services.radosgw import Radosgw

RIGHTS = ["bucket", "bucket.if_match", "bucket.if_none_match", "bucket.rights"]


async def left_in(examined: Examined) -> list[str]:
    """Keys of everything in the bucket."""
    store = await open_store(examined.settings)
    try:
        return await listed(store)
    finally:
        await store.close()


async def test_healthy_bucket(patient: Patient, bucket: dict[str, Any]) -> None:
    """Rights, conditions with their quoting, catalogue and clock are well, and nothing is left behind."""
    examined = await patient.examine(**bucket)
    for check in ("bucket", "catalogue", "clock", "disk"):
        examined.assert_well(check)
    assert sorted(examined.verdicts("bucket")) == RIGHTS
    assert "without quotes" in examined.told("bucket.if_match")
    assert await left_in(examined) == []


async def test_folder(patient: Patient) -> None:
    """A folder that is not there is not made; one that is there keeps no object of it."""
    first = await patient.examine()
    first.assert_well("bucket")
    assert not first.settings.data_dir.exists()
    catalogue = await Catalogue.open(first.settings)
    await catalogue.close()
    before = sorted(first.settings.data_dir.rglob("*"))
    second = await patient.examine()
    for check in ("bucket", "queue", "catalogue", "clock", "disk"):
        second.assert_well(check)
    assert "Version 0 has 0 rows" in second.told("catalogue")
    added = [path for path in first.settings.data_dir.rglob("*") if path not in before]
    own = first.settings.data_dir / "bucket" / ".dam"  # the adapter's locks, which it keeps
    assert [path for path in added if path != own and own not in path.parents] == []


async def test_wrong_secret(patient: Patient, bucket: dict[str, Any]) -> None:
    """Refused credentials are told as such, with the variables to look at."""
    examined = await patient.examine(**bucket | {"store_secret_access_key": "wrong-secret"})
    assert examined.verdicts("bucket") == {"bucket": "broken"}
    assert "DAM_STORE_ACCESS_KEY_ID" in examined.told("bucket")
    assert examined.verdicts("catalogue") == {"catalogue": "broken"}


async def test_missing_bucket(patient: Patient, bucket: dict[str, Any]) -> None:
    """A bucket that is not there is named."""
    examined = await patient.examine(**bucket | {"store_url": "s3://no-such-bucket"})
    assert examined.verdicts("bucket") == {"bucket": "broken"}
    assert "There is no bucket no-such-bucket" in examined.told("bucket")


async def test_wrong_endpoint(patient: Patient, bucket: dict[str, Any]) -> None:
    """An endpoint where nothing listens; the clock cannot be compared then."""
    examined = await patient.examine(**bucket | {"store_endpoint_url": "http://127.0.0.1:9"})
    assert examined.verdicts("bucket") == {"bucket": "broken"}
    assert "cannot be reached" in examined.told("bucket")
    assert examined.verdicts("clock") == {"clock": "skipped"}


async def test_frozen_server(patient: Patient, radosgw: Radosgw, bucket: dict[str, Any]) -> None:
    """A server that takes connections and never answers does not hold the doctor up."""
    radosgw.pause()
    try:
        examined = await patient.examine(**bucket, doctor_timeout_s=1.0)
    finally:
        radosgw.resume()
    assert examined.verdicts("bucket") == {"bucket": "broken"}
    assert examined.verdicts("catalogue") == {"catalogue": "broken"}
    assert "did not end within 1 s" in examined.told("catalogue")


async def test_read_only_key(patient: Patient, radosgw: Radosgw, bucket: dict[str, Any]) -> None:
    """A key that may only read: writing and deleting are named, reading and listing are not."""
    key_id, secret = radosgw.create_reader(bucket["store_url"].removeprefix("s3://"))
    reading = {"store_access_key_id": key_id, "store_secret_access_key": secret}
    examined = await patient.examine(**bucket | reading)
    assert examined.verdicts("bucket") == {
        "bucket": "well",
        "bucket.put": "broken",
        "bucket.delete": "broken",
    }
    assert "s3:PutObject" in examined.told("bucket.put")


async def test_conditions_are_ignored(patient: Patient, radosgw: Radosgw, bucket: dict[str, Any]) -> None:
    """A server that takes every put, whatever its condition, is found out, and what that may cost is told."""
    async with LyingProxy(radosgw.endpoint, ignores_conditions=True) as proxy:
        examined = await patient.examine(**bucket | {"store_endpoint_url": proxy.endpoint})
    assert examined.verdicts("bucket")["bucket.if_none_match"] == "broken"
    assert examined.verdicts("bucket")["bucket.if_match"] == "broken"
    assert "work would be lost" in examined.told("bucket.if_none_match")


@pytest.mark.parametrize(
    ("off", "verdict", "told"),
    [
        (timedelta(hours=1), "broken", "s behind"),
        (timedelta(hours=-1), "broken", "s ahead of"),
        (timedelta(minutes=2), "warning", "s behind"),
        (timedelta(seconds=5), "well", "Within"),
    ],
)
async def test_clock(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    patient: Patient, radosgw: Radosgw, bucket: dict[str, Any], off: timedelta, verdict: str, told: str
) -> None:
    """A clock that is off is told by how much; it is broken where the bucket would refuse signed requests."""
    async with LyingProxy(radosgw.endpoint, clock_off=off) as proxy:
        examined = await patient.examine(**bucket | {"store_endpoint_url": proxy.endpoint})
    assert examined.verdicts("clock") == {"clock": verdict}
    assert told in examined.told("clock")


async def test_damaged_catalogue(patient: Patient) -> None:
    """A table whose log is no log is broken."""
    first = await patient.examine()
    log = first.settings.data_dir / "bucket" / "metadata" / "images" / "_delta_log"
    log.mkdir(parents=True)
    (log / "00000000000000000000.json").write_text("no log")
    examined = await patient.examine()
    assert examined.verdicts("catalogue") == {"catalogue": "broken"}


async def test_disk_is_full(patient: Patient) -> None:
    """Too little free space is a warning, far too little is broken."""
    free = 1 << 50
    examined = await patient.examine(doctor_min_free_bytes=free)
    assert examined.verdicts("disk") == {"disk": "broken"}
    assert "Make room" in examined.told("disk")


async def test_settings_that_lack_a_secret(patient: Patient, bucket: dict[str, Any]) -> None:
    """A missing credential is named by its variable."""
    examined = await patient.examine(**bucket | {"store_secret_access_key": ""})
    assert "DAM_STORE_SECRET_ACCESS_KEY is not set" in examined.told("bucket")
