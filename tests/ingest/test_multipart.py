"""The streaming multipart reader, whatever the pieces in which the network delivers the body."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest_api.multipart import MultipartBody
from ingest_api.refusals import RefusalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TYPE = "multipart/form-data; boundary=XyZ"


async def pieces(data: bytes, sizes: list[int]) -> AsyncIterator[bytes]:
    """`data` in pieces of these sizes, again and again."""
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


def form(*parts: tuple[str, bytes], end: bytes = b"\r\n--XyZ--\r\n") -> bytes:
    heads = (f'content-disposition: form-data; name="files"; filename="{name}"\r\n\r\n' for name, _ in parts)
    bodies = (head.encode() + data for head, (_, data) in zip(heads, parts, strict=True))
    return b"--XyZ\r\n" + b"\r\n--XyZ\r\n".join(bodies) + end


async def read(data: bytes, sizes: list[int], content_type: str = TYPE) -> list[tuple[str | None, bytes]]:
    body = MultipartBody(content_type, pieces(data, sizes))
    return [
        (part.filename, b"".join([chunk async for chunk in part.chunks()])) async for part in body.parts()
    ]


NEAR_BOUNDARIES = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"--", b"-", b"\r\n--Xy", b"\r\n--XyY", b"a", b"\x00\xff", b""]),
    max_size=12,
).map(b"".join)


@given(
    contents=st.lists(NEAR_BOUNDARIES | st.binary(max_size=200), min_size=1, max_size=4),
    sizes=st.lists(st.integers(1, 70), min_size=1, max_size=4),
)
@example(contents=[b"\r\n--XyY"], sizes=[1])
def test_any_cutting_gives_the_same_parts(contents: list[bytes], sizes: list[int]) -> None:
    """Names, contents and their order do not depend on how the body is cut, even within a boundary."""
    parts = [(f"{number}.png", content) for number, content in enumerate(contents)]
    assert asyncio.run(read(form(*parts), sizes)) == parts


@given(length=st.integers(0, 200), size=st.integers(1, 50))
def test_cut_short_is_refused(length: int, size: int) -> None:
    """A body that ends before its closing boundary is `bad_multipart`, wherever it ends."""
    whole = form(("a.png", b"x" * 80), ("b.png", b"y" * 20))
    cut = whole[: min(length, len(whole) - 4)]
    with pytest.raises(RefusalError) as refusal:
        asyncio.run(read(cut, [size]))
    assert refusal.value.code == "bad_multipart"


async def test_unread_parts_are_skipped() -> None:
    """A caller that leaves a part, or the rest of one, gets the next one whole."""
    body = MultipartBody(TYPE, pieces(form(("a", b"1" * 500), ("b", b"2" * 500), ("c", b"3")), [64]))
    seen = []
    async for part in body.parts():
        first = await anext(part.chunks()) if part.filename != "a" else b""
        seen.append((part.filename, first[:1]))
    assert seen == [("a", b""), ("b", b"2"), ("c", b"3")]


async def test_body_is_pulled() -> None:
    """No more of the body is asked for than the caller has used: one network chunk at a time."""
    asked = 0

    async def network() -> AsyncIterator[bytes]:
        nonlocal asked
        yield form(("a.png", b""), end=b"")
        while True:
            asked += 1
            yield bytes(1000)

    body = MultipartBody(TYPE, network())
    part = await anext(body.parts())
    chunks = part.chunks()
    for count in range(1, 6):
        await anext(chunks)
        assert asked <= count + 1


@pytest.mark.parametrize(
    "data",
    [
        b"no boundary at all",
        b"--XyZ\r\nno-colon-here\r\n\r\ndata\r\n--XyZ--\r\n",
        b"--XyZ\r\n" + b"".join(b"h%d: v\r\n" % number for number in range(500)) + b"\r\ndata\r\n--XyZ--\r\n",
        b'--XyZ\r\ncontent-disposition: form-data; filename="'
        + b"n" * 100_000
        + b'"\r\n\r\nx\r\n--XyZ--\r\n',
        b"--XyZ\r\n" + b"h" * 100_000 + b": v\r\n\r\nx\r\n--XyZ--\r\n",
        b"--OtherBoundary\r\n\r\nx\r\n--OtherBoundary--\r\n",
    ],
)
async def test_broken_forms_are_refused(data: bytes) -> None:
    """No boundary, a broken header, too many or huge headers: `bad_multipart`, never a crash."""
    with pytest.raises(RefusalError) as refusal:
        await read(data, [4096])
    assert refusal.value.code == "bad_multipart"


@pytest.mark.parametrize(
    "content_type", ["", "multipart/form-data", "multipart/mixed; boundary=x", "text/plain", "é; ☃"]
)
def test_other_types_are_refused(content_type: str) -> None:
    """What is no form, or has no boundary, is `not_multipart`."""
    with pytest.raises(RefusalError) as refusal:
        MultipartBody(content_type, pieces(b"", [1]))
    assert refusal.value.code == "not_multipart"


def test_overlong_boundary_is_refused() -> None:
    """A boundary beyond what RFC 2046 allows is a broken form."""
    with pytest.raises(RefusalError) as refusal:
        MultipartBody(f"multipart/form-data; boundary={'b' * 5000}", pieces(b"", [1]))
    assert refusal.value.code == "bad_multipart"
