"""The S3 adapter against a server that refuses, loses, cuts and stalls: bounded tries, or an error."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from dam.errors import PreconditionFailedError, StoreUnavailableError
from dam.store.s3 import S3Store
from tests.store.opening import PART, bucket_settings, keys, pieces, read, some_bytes
from tests.store.proxy import Fault, Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.services.radosgw import Radosgw

ATTEMPTS = 3
TIMEOUT_S = 1.0
BOUND_S = 12.0
"""Three time-outs of a second, and two pauses of at most one and two seconds, on a busy machine."""


@pytest.fixture
async def proxy(radosgw: Radosgw) -> AsyncIterator[Proxy]:
    async with Proxy(radosgw.endpoint) as running:
        yield running


@pytest.fixture
async def store(radosgw: Radosgw, proxy: Proxy) -> AsyncIterator[S3Store]:
    settings = bucket_settings(
        radosgw,
        store_endpoint_url=proxy.endpoint,
        store_max_attempts=ATTEMPTS,
        store_timeout_s=TIMEOUT_S,
    )
    opened = await S3Store.connect(settings)
    await opened.put("k", b"old")
    proxy.requests.clear()
    yield opened
    await opened.close()


async def upload(store: S3Store) -> int:
    return (await store.put_stream("big", pieces(some_bytes(2 * PART + 5), 1 << 20))).size


async def uploads_left_open(store: S3Store) -> int:
    answer = await store._bucket.client.list_multipart_uploads(Bucket=store._bucket.name)
    return len(answer.get("Uploads", []))


CALLS: dict[str, Callable[[S3Store], Awaitable[object]]] = {
    "put": lambda store: store.put("k", b"new"),
    "large put": lambda store: store.put("k", some_bytes(3 << 20)),
    "put_stream": upload,
    "get": lambda store: store.get("k"),
    "stream": lambda store: read(store, "k"),
    "head": lambda store: store.head("k"),
    "list": keys,
    "delete": lambda store: store.delete("none"),
}
PASSING = [
    *(Fault("refuse", status=503), Fault("refuse", status=500, code="InternalError")),
    *(Fault("refuse", status=429, code="TooManyRequests"), Fault("drop"), Fault("hang")),
]
LASTING = [Fault("refuse", status=503), Fault("refuse", status=429, code="TooManyRequests"), Fault("drop")]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind} {fault.status}")
async def test_a_passing_fault_is_not_noticed(store: S3Store, proxy: Proxy, fault: Fault) -> None:
    """Every method works although as many requests are refused, dropped or never answered."""
    proxy.faults.extend([fault] * len(CALLS))
    await asyncio.gather(*(call(store) for call in CALLS.values()))
    assert not proxy.faults
    assert await uploads_left_open(store) == 0


@pytest.mark.parametrize("fault", LASTING, ids=lambda fault: f"{fault.kind} {fault.status}")
async def test_a_lasting_fault_is_an_outage_after_bounded_tries(
    store: S3Store, proxy: Proxy, fault: Fault
) -> None:
    """As many requests for each call as the settings say, then the error that means: again later."""
    proxy.faults.extend([fault] * 100)
    began = time.monotonic()
    outcomes = await asyncio.gather(*(call(store) for call in CALLS.values()), return_exceptions=True)
    for outcome in outcomes:
        assert isinstance(outcome, StoreUnavailableError)
        assert str(outcome).startswith(f"The bucket {store._bucket.name} at http://127.0.0.1")
    tries = ATTEMPTS * len(CALLS)
    # aiohttp sends an idempotent request a second time where the connection broke.
    assert tries <= len(proxy.requests) <= (2 * tries if fault.kind == "drop" else tries)
    assert time.monotonic() - began < BOUND_S


async def test_a_server_that_never_answers_is_given_up_in_time(store: S3Store, proxy: Proxy) -> None:
    """A time-out for each try; a ping waits for no more than its five seconds."""
    proxy.faults.extend([Fault("hang")] * 30)
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="did not answer in time"):
        await store.get("k")
    assert time.monotonic() - began < BOUND_S
    began = time.monotonic()
    with pytest.raises(StoreUnavailableError, match="did not answer in time"):
        await store.ping()
    assert time.monotonic() - began < 7


async def test_a_broken_download_goes_on_where_it_broke(store: S3Store, proxy: Proxy) -> None:
    """Cut twice: the rest is asked for, not the whole again; a get starts over."""
    data = some_bytes(4 << 20)
    await store.put("big", data)
    proxy.requests.clear()
    proxy.faults.extend([Fault("cut")] * (ATTEMPTS - 1))
    assert await read(store, "big") == data
    starts = [line for request in proxy.requests for line in request.split("\r\n") if "bytes=" in line]
    assert len(proxy.requests) == ATTEMPTS
    assert [int(line.split("=")[1].rstrip("-")) for line in starts] == [2 << 20, 3 << 20]
    proxy.faults.extend([Fault("cut")] * (ATTEMPTS - 1))
    assert (await store.get("big")).data == data
    proxy.faults.append(Fault("cut"))
    assert await read(store, "big", 100, 2_000_000) == data[100:2_000_000]


async def test_a_download_that_always_breaks_is_an_outage(store: S3Store, proxy: Proxy) -> None:
    """After as many tries as the settings say."""
    for call in (store.get("k"), read(store, "k")):
        proxy.requests.clear()
        proxy.faults.extend([Fault("cut")] * 30)
        with pytest.raises(StoreUnavailableError):
            await call
        assert len(proxy.requests) == ATTEMPTS


async def test_a_download_does_not_go_on_in_another_version(store: S3Store, proxy: Proxy) -> None:
    """Replaced between the break and the next request: an error, no mixture."""
    await store.put("big", some_bytes(2 << 20, 1))
    proxy.faults.append(Fault("cut", "GET"))
    stream = store.stream("big")
    await anext(stream)
    await store.put("big", some_bytes(2 << 20, 2))
    with pytest.raises(StoreUnavailableError, match="replaced while it was read"):
        async for _ in stream:
            pass


async def test_a_cut_listing_is_asked_for_again(store: S3Store, proxy: Proxy) -> None:
    """Half of a page is no page."""
    proxy.faults.extend([Fault("cut")] * (ATTEMPTS - 1))
    assert await keys(store) == ["k"]
    proxy.faults.extend([Fault("cut")] * 30)
    with pytest.raises(StoreUnavailableError):
        await keys(store)


@pytest.mark.parametrize("times", [1, 2])
async def test_a_conditional_put_whose_answer_was_lost_is_still_won(
    store: S3Store, proxy: Proxy, times: int
) -> None:
    """It happened, the retry finds the key taken: by ourselves, so it is a success with the right etag."""
    proxy.faults.extend([Fault("lose", "PUT")] * times)
    etag = await store.put("claim", b"mine", if_absent=True, metadata={"a": "b"})
    info = await store.head("claim")
    assert (info.etag, info.metadata) == (etag, {"a": "b"})
    proxy.faults.extend([Fault("lose", "PUT")] * times)
    second = await store.put("claim", b"changed", if_match=etag)
    assert (await store.head("claim")).etag == second != etag
    proxy.faults.append(Fault("lose", "PUT"))
    third = await store.put("claim", b"again", if_match=second)
    assert (await store.head("claim")).etag == third


async def test_a_conditional_put_that_really_lost_has_lost(store: S3Store, proxy: Proxy) -> None:
    """With lost answers in between, and with equal bytes there: what another wrote is not taken for ours."""
    await store.put("claim", b"same", if_absent=True)
    proxy.faults.append(Fault("lose", "PUT"))
    with pytest.raises(PreconditionFailedError):
        await store.put("claim", b"same", if_absent=True)
    proxy.faults.append(Fault("lose", "PUT"))
    with pytest.raises(PreconditionFailedError):
        await store.put("claim", b"other", if_match="0" * 32)
    assert (await store.get("claim")).data == b"same"


async def test_a_conditional_put_that_stays_unclear_is_an_outage(store: S3Store, proxy: Proxy) -> None:
    """The caller settles it by reading back, as the port says."""
    proxy.faults.extend([Fault("lose", "PUT")] * 2 * ATTEMPTS)
    with pytest.raises(StoreUnavailableError):
        await store.put("claim", b"mine", if_absent=True)
    assert (await store.get("claim")).data == b"mine"


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_large_upload_survives_lost_answers(store: S3Store, proxy: Proxy, method: str) -> None:
    """Of its beginning and end, and of a part: the object is whole, and no upload is left open for long.

    A beginning whose answer was lost stays open at the server: only its answer held its name.
    """
    if method == "POST":
        proxy.faults.extend([Fault("pass", "POST"), Fault("lose", "POST")])
    else:
        proxy.faults.extend([Fault("lose", "PUT"), Fault("cut", "PUT")])
    assert await upload(store) == 2 * PART + 5
    assert (await store.get("big")).data == some_bytes(2 * PART + 5)
    assert await uploads_left_open(store) == 0


async def test_a_failed_or_cancelled_upload_is_aborted(store: S3Store, proxy: Proxy) -> None:
    """Nothing half is visible, and nothing stays that costs room: after an outage, an error, a cancellation.

    A cancellation during the last request finds the object whole or not there at all.
    """
    proxy.faults.extend([Fault("drop", "PUT")] * 2 * ATTEMPTS)
    with pytest.raises(StoreUnavailableError):
        await upload(store)
    assert await uploads_left_open(store) == 0
    for wait_s in (0.0, 0.001, 0.01, 0.03, 0.05, 0.1, 0.2):
        task = asyncio.create_task(upload(store))
        await asyncio.sleep(wait_s)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if await keys(store) != ["k"]:
            assert (await store.get("big")).data == some_bytes(2 * PART + 5)
            await store.delete("big")
    assert await uploads_left_open(store) == 0
