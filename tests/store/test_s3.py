"""What is particular to a bucket: conditions in two dialects, signed URLs, outages, wrong settings."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from botocore.endpoint_provider import RuleSet
from botocore.exceptions import ClientError

from dam.errors import ObjectNotFoundError, PreconditionFailedError, SettingsError, StoreUnavailableError
from dam.settings import DamSettings
from dam.store import open_store
from dam.store.s3 import S3Store
from dam.store.s3_bucket import Bucket
from dam.store.s3_conditions import ConditionalPuts
from tests.store.opening import PART, bucket_settings, keys, pieces, some_bytes
from tests.store.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dam.store import ObjectStore
    from tests.services.radosgw import Radosgw


@pytest.fixture
async def store(radosgw: Radosgw) -> AsyncIterator[ObjectStore]:
    opened = await open_store(bucket_settings(radosgw, store_max_attempts=2, store_timeout_s=1))
    yield opened
    await opened.close()


class QuotingBucket(Bucket):
    """One object on a server that compares `If-Match` as AWS and R2 do: quotes and all."""

    def __init__(self, etag: str) -> None:
        self.etag = etag
        self.asked: list[str] = []

    async def call(self, key: str, method: str, **_: Any) -> Any:
        """A head."""
        self.asked.append(f"{method} {key}")
        return {"ETag": f'"{self.etag}"', "Metadata": {}}

    async def send(self, key: str, method: str, body: Any, **arguments: Any) -> Any:
        """A put."""
        self.asked.append(f"{method} {key} {arguments['IfMatch']}")
        if arguments["IfMatch"] != f'"{self.etag}"':
            answer = {"ResponseMetadata": {"HTTPStatusCode": 412}}
            raise PreconditionFailedError("lost") from ClientError(answer, "PutObject")
        self.etag = str(body)
        return {"ETag": f'"{self.etag}"'}


async def test_the_etags_quotes_are_found_out_once_per_server(radosgw: Radosgw) -> None:
    """This one wants it bare: the first conflict tells, with one head; from then on one request each."""
    async with Proxy(radosgw.endpoint) as proxy:
        store = await S3Store.connect(bucket_settings(radosgw, store_endpoint_url=proxy.endpoint))
        first = await store.put("k", b"1")
        proxy.requests.clear()
        second = await store.put("k", b"2", if_match=first)
        learnt = len(proxy.requests)
        await store.put("k", b"3", if_match=second)
        assert len(proxy.requests) == learnt + 1
        assert "if-match: " in proxy.requests[-1].lower()
        assert f'"{second}"' not in proxy.requests[-1]
        await store.close()


async def test_a_server_that_wants_quotes_gets_them() -> None:
    """One put, no look at the object; a stale etag stays stale."""
    bucket = QuotingBucket("one")
    puts = ConditionalPuts(bucket)
    headers: dict[str, Any] = {"Metadata": {}}
    assert await puts.replace("k", b"two", headers, "one") == bucket.etag
    assert bucket.asked == ['put_object k "one"']
    with pytest.raises(PreconditionFailedError):
        await puts.replace("k", b"three", headers, "one")


async def test_the_marker_of_conditional_puts_is_not_shown(store: ObjectStore) -> None:
    """Metadata is what the caller gave."""
    await store.put("k", b"x", if_absent=True, metadata={"a": "b"})
    assert (await store.head("k")).metadata == (await store.get("k")).info.metadata == {"a": "b"}


async def test_a_signed_url_reads_the_object_without_credentials(store: ObjectStore) -> None:
    """For as long as it says, under the name it says; without the signature there is nothing to see."""
    await store.put("a b/é.png", b"picture", content_type="image/png")
    url = await store.sign_url("a b/é.png", expires_s=60, filename='my "holiday" é.png')
    assert url is not None
    brief = await store.sign_url("a b/é.png", expires_s=1)
    assert brief is not None
    async with httpx.AsyncClient() as client:
        answer = await client.get(url)
        assert (answer.status_code, answer.content) == (200, b"picture")
        assert answer.headers["content-type"] == "image/png"
        disposition = "attachment; filename*=UTF-8''my%20%22holiday%22%20%C3%A9.png"
        assert answer.headers["content-disposition"] == disposition
        assert (await client.get(url.partition("?")[0])).status_code == 403
        await asyncio.sleep(2.1)
        assert (await client.get(brief)).status_code == 403


async def test_a_server_killed_in_the_middle_is_an_outage_until_it_is_back(
    store: ObjectStore, radosgw: Radosgw
) -> None:
    """Killed while a large upload runs: errors in bounded time that name the endpoint; then all is well."""
    await store.put("k", b"kept")
    begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        async for piece in pieces(some_bytes(4 * PART), 1 << 20):
            yield piece
            begun.set()
            await asyncio.sleep(0.05)

    upload = asyncio.create_task(store.put_stream("big", slow()))
    await begun.wait()
    await asyncio.sleep(0.3)
    radosgw.kill()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError):
            await upload
        for call in (
            store.get("k"),
            store.put("k", b"x"),
            store.put("n", b"x", if_absent=True),
            store.ping(),
        ):
            with pytest.raises(StoreUnavailableError, match=radosgw.endpoint):
                await call
        assert time.monotonic() - began < 30
    finally:
        await asyncio.to_thread(radosgw.restart)
    assert (await store.get("k")).data == b"kept"
    assert await keys(store) == ["k"]


async def test_a_frozen_server_is_an_outage_in_bounded_time(store: ObjectStore, radosgw: Radosgw) -> None:
    """It takes connections and never answers: two tries of a second each."""
    await store.put("k", b"x")
    radosgw.pause()
    try:
        began = time.monotonic()
        with pytest.raises(StoreUnavailableError, match="did not answer in time"):
            await store.get("k")
        assert time.monotonic() - began < 8
    finally:
        radosgw.resume()
    assert (await store.get("k")).data == b"x"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"store_url": "s3://not-there"}, "There is no bucket not-there at"),
        ({"store_secret_access_key": "wrong"}, "check DAM_STORE_ACCESS_KEY_ID"),
        ({"store_endpoint_url": "http://127.0.0.1:9"}, r"127\.0\.0\.1:9.* cannot be reached"),
    ],
)
async def test_a_wrong_setting_is_told_in_words_and_does_not_stop_the_start(
    radosgw: Radosgw, changes: dict[str, Any], said: str
) -> None:
    """Another bucket, a wrong secret, a wrong address: unavailable, with what to correct, and no secret."""
    settings = bucket_settings(radosgw, store_max_attempts=1, **changes)
    store = await open_store(settings)
    try:
        for call in (store.ping(), store.put("k", b"x"), store.put_stream("k", pieces(b"x", 1)), keys(store)):
            with pytest.raises(StoreUnavailableError, match=said) as raised:
                await call
            assert settings.store_secret_access_key is not None
            assert settings.store_secret_access_key.get_secret_value() not in str(raised.value)
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"store_access_key_id": ""}, "DAM_STORE_ACCESS_KEY_ID is not set"),
        ({"store_secret_access_key": ""}, "DAM_STORE_SECRET_ACCESS_KEY is not set"),
        ({"store_url": "s3://"}, "must be s3://bucket"),
        ({"store_endpoint_url": "nonsense"}, "make no S3 client"),
    ],
)
async def test_a_setting_that_cannot_work_stops_the_start(values: dict[str, Any], said: str) -> None:
    """Before anything is sent, with the variable's name."""
    usual: dict[str, Any] = {
        "store_url": "s3://bucket",
        "store_access_key_id": "id",
        "store_secret_access_key": "secret",
    }
    with pytest.raises(SettingsError, match=said):
        await open_store(DamSettings(**usual | values))


async def test_reading_what_another_deletes_is_missing_not_broken(store: ObjectStore) -> None:
    """Deleted between a listing and the read."""
    await store.put("k", b"x")
    async for info in store.list(""):
        await store.delete(info.key)
        with pytest.raises(ObjectNotFoundError, match="no object k in the bucket"):
            await store.get(info.key)


async def test_a_requests_host_is_worked_out_once_a_kind_for_all_keys(
    radosgw: Radosgw, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Botocore's rules for it cost a third of a request, and are told nothing of the key."""
    worked_out = 0
    evaluate = RuleSet.evaluate

    def count(self: RuleSet, parameters: dict[str, Any]) -> Any:
        nonlocal worked_out
        worked_out += 1
        return evaluate(self, parameters)

    monkeypatch.setattr(RuleSet, "evaluate", count)
    store = await open_store(bucket_settings(radosgw))
    for number in range(5):
        await store.put(f"k/{number}", b"1")
    assert [info.key async for info in store.list("k/")] == [f"k/{number}" for number in range(5)]
    await store.close()
    assert worked_out == 2  # lists are of another kind
