"""Ids as sixteen bytes."""

from __future__ import annotations

from uuid import UUID

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from dam.search.packing import newest_of_each, pack, pack_one, pack_texts, unpack

ids = st.lists(st.uuids() | st.integers(0, 255).map(lambda number: UUID(int=number << 120)), max_size=50)


@given(ids)
def test_packed_ids_sort_as_text_and_come_back(uuids: list[UUID]) -> None:
    """Zero bytes at their ends included."""
    texts = [str(item) for item in uuids]
    packed = pack(pa.array(texts, pa.string()))
    assert unpack(packed) == texts
    assert packed.tolist() == pack_texts(texts).tolist()
    assert unpack(packed[packed.argsort(kind="stable")]) == sorted(texts)
    assert all(
        bytes(item).ljust(16, b"\0") == pack_one(text) for item, text in zip(packed, texts, strict=True)
    )


@given(ids, st.integers(0, 3))
def test_a_slice_packs_its_own_rows(uuids: list[UUID], start: int) -> None:
    """Arrow's slices share their buffers."""
    texts = pa.array([str(item) for item in uuids], pa.string())
    assert unpack(pack(texts[start:])) == texts[start:].to_pylist()


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 9)), unique=True, max_size=40))
def test_the_newest_of_each_is_found(pairs: list[tuple[int, int]]) -> None:
    """One row for each id, that with the greatest revision, sorted by id."""
    texts = [str(UUID(int=number)) for number, _ in pairs]
    newest = newest_of_each(pack(pa.array(texts, pa.string())), [revision for _, revision in pairs])
    expected = {number: max(r for n, r in pairs if n == number) for number, _ in pairs}
    assert [pairs[at] for at in newest] == sorted(expected.items())
