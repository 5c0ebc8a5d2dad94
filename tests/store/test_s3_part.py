"""The body that an upload to a bucket is sent from."""

from __future__ import annotations

import hashlib
import io
import os
from typing import TYPE_CHECKING

import pytest

from dam.errors import StoreError
from dam.store.s3_bucket import Bucket
from dam.store.s3_part import PART, Part
from tests.store.opening import bucket_settings, some_bytes

if TYPE_CHECKING:
    from tests.services.radosgw import Radosgw


def part_of(data: bytes) -> Part:
    """A part with these bytes in it, and with their hash."""
    part = Part()
    part.fill(memoryview(data))
    part.sha256 = hashlib.sha256(data).hexdigest()
    return part


async def test_a_part_takes_what_fits_and_begins_anew() -> None:
    """What does not fit is given back; a shorter part after a full one ends where it ends."""
    data, part = some_bytes(PART + 10), Part()
    assert len(part.fill(memoryview(data)[:100])) == 0
    assert bytes(part.fill(memoryview(data)[100:])) == data[PART:]
    assert (len(part), b"".join([bytes(piece) async for piece in part])) == (PART, data[:PART])
    part.clear()
    part.fill(memoryview(b"short"))
    assert [bytes(piece) async for piece in part] == [b"short"]
    assert (bytes(part.data), len(part)) == (b"short", 5)


def test_a_part_reads_like_a_file() -> None:
    """As botocore may use it."""
    data = some_bytes(1000)
    for file in (part_of(data), io.BytesIO(data)):
        assert (file.read(300), file.tell(), file.read(), file.read(5)) == (data[:300], 300, data[300:], b"")
        assert (file.seek(0, os.SEEK_END), file.seek(-10, os.SEEK_CUR), file.read()) == (
            1000,
            990,
            data[990:],
        )
        assert (file.seek(0), file.read(1)) == (0, data[:1])


async def test_a_part_is_signed_by_the_hash_that_it_brings(radosgw: Radosgw) -> None:
    """So the bucket takes these very bytes and no others."""
    bucket = await Bucket.connect(bucket_settings(radosgw))
    right, wrong = part_of(b"picture"), part_of(b"picture")
    wrong.sha256 = hashlib.sha256(b"painting").hexdigest()
    await bucket.send("right", "put_object", right)
    with pytest.raises(StoreError, match="SHA256"):
        await bucket.send("wrong", "put_object", wrong)
    await bucket.close()
