"""Search: what is found, why, and what happens when a part of it is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam import keys
from dam.search.reader import Hit, IndexReader
from dam.search.words import keys_of, query_words, split_words
from gallery_api.answers.searching import SearchAnswer
from gallery_api.fusing import fuse
from gallery_api.results import explain
from tests.gallery.bento import embed
from tests.gallery.rig import draw

if TYPE_CHECKING:
    from tests.gallery.rig import Rig


async def _fill(rig: Rig, captions: list[str], *, indexed: bool) -> None:
    await rig.add_many([{"caption": caption} for caption in captions])
    if indexed:
        await rig.index()


@pytest.mark.parametrize("indexed", [False, True])
async def test_each_mode_finds_what_it_is_for(rig: Rig, captions: list[str], *, indexed: bool) -> None:
    """Meaning finds the nearest pictures, words those that have them; both agree on the best."""
    await _fill(rig, captions, indexed=indexed)
    assert (await rig.search(q="a red boat", mode="semantic", limit=2))[0] == "a red boat"
    assert set(await rig.search(q="boats", mode="text")) == {
        "a red boat",
        "a blue boat",
        "a white cat on a red boat",
    }
    assert (await rig.search(q="a red boat"))[0] == "a red boat"


async def test_a_result_says_why_it_is_there(rig: Rig, captions: list[str]) -> None:
    """Rank and cosine in meaning; rank, score and the words of each field as they stand there."""
    await rig.add("a green tree", filename="Forest-2041.jpg", tags=["Wald", "Bäume"])
    await _fill(rig, captions, indexed=True)
    answer = await rig.get("/search", q="trees 2041 baume")
    assert (answer["mode"], answer["reason"]) == ("hybrid", None)
    [result, *_] = answer["items"]
    assert result["matched"]["semantic"] is not None, answer
    assert result["matched"]["semantic"]["rank"] >= 1
    assert -1 <= result["matched"]["semantic"]["similarity"] <= 1
    assert result["matched"]["text"]["rank"] == 1
    assert result["matched"]["text"]["fields"] == [
        {"field": "filename", "words": ["2041"]},
        {"field": "caption", "words": ["tree"]},
        {"field": "tags", "words": ["Bäume"]},
    ]
    only_near = (await rig.get("/search", q="nothing of this", mode="semantic"))["items"][0]
    assert only_near["matched"]["text"] is None


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("mode", ["hybrid", "semantic", "text"])
async def test_an_answer_is_as_described(rig: Rig, captions: list[str], mode: str, *, indexed: bool) -> None:
    """Every field, and each written as the description's model writes it, times included."""
    await _fill(rig, captions, indexed=indexed)
    answer = await rig.client.get("/search", params={"q": "a red boat", "mode": mode})
    assert answer.headers["content-type"] == "application/json"
    described = SearchAnswer.model_validate_json(answer.content)
    assert described.model_dump(mode="json") == answer.json()
    assert described.items


async def test_hybrid_finds_what_only_the_file_name_tells(rig: Rig) -> None:
    """Of many pictures that look alike, the one whose name was given comes first; meaning cannot know."""
    await rig.add_many([{"caption": "a red boat", "filename": f"trip-{n:03}.jpg"} for n in range(120)])
    await rig.index()
    first = (await rig.get("/search", q="red boat trip-077"))["items"][0]
    assert first["asset"]["filename"] == "trip-077.jpg"


async def test_without_the_bento_words_answer_and_the_answer_says_so(rig: Rig, captions: list[str]) -> None:
    """Down, or overloaded: degraded, with the reason; never an error, and never silence."""
    await _fill(rig, captions, indexed=True)
    rig.bento.down = True
    for mode in ("hybrid", "semantic"):
        answer = await rig.get("/search", q="boat", mode=mode)
        assert (answer["degraded"], answer["mode"]) == (True, "text")
        assert "words alone" in answer["reason"]
        assert len(answer["items"]) == 3
    await rig.bento.stop()
    assert (await rig.get("/search", q="boat"))["degraded"]
    assert not (await rig.get("/search", q="boat", mode="text"))["degraded"]


async def test_vectors_of_another_model_are_not_compared(rig: Rig, captions: list[str]) -> None:
    """The Bento has changed, the assets are not embedded anew yet: words alone, and it is said."""
    await _fill(rig, captions, indexed=True)
    rig.bento.model = "bag@2"
    answer = await rig.get("/search", q="boat")
    assert answer["degraded"]
    assert "bag@1" in answer["reason"]
    assert "bag@2" in answer["reason"]


@pytest.mark.parametrize("indexed", [False, True])
async def test_more_like_this_leaves_itself_out(rig: Rig, captions: list[str], *, indexed: bool) -> None:
    """The nearest first; of an asset without a vector it is refused."""
    await _fill(rig, captions, indexed=indexed)
    boat = next(item for item in (await rig.get("/assets"))["items"] if item["caption"] == "a red boat")
    found = await rig.search(like=boat["id"])
    wanted = np.array(embed("a red boat"))
    others = [caption for caption in captions if caption != "a red boat"]
    assert found == sorted(others, key=lambda caption: -float(wanted @ np.array(embed(caption))))
    blank = await rig.add("nothing", vector=None, embedding_by=None, vector_key=None)
    refused = await rig.client.get("/search", params={"like": blank.id})
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_state")


async def test_search_by_picture(rig: Rig, captions: list[str]) -> None:
    """The most similar assets; what is no picture, or a broken one, is refused with its reason."""
    await _fill(rig, captions, indexed=True)
    picture = draw(1)
    rig.bento.pictures[picture] = "a blue boat"
    answer = await rig.client.post("/search", files={"image": ("x.jpg", picture)}, params={"limit": 1})
    assert [item["asset"]["caption"] for item in answer.json()["items"]] == ["a blue boat"]
    for data, status in ((b"a text", 422), (draw(2), 422)):
        refused = await rig.client.post("/search", files={"image": ("x.jpg", data)})
        assert refused.status_code == status
        assert refused.json()["code"] == "invalid_request"
    rig.bento.down = True
    down = await rig.client.post("/search", files={"image": ("x.jpg", picture)})
    assert (down.status_code, down.headers["retry-after"]) == (503, "5")


async def test_search_goes_on_while_the_index_is_gone(rig: Rig, captions: list[str]) -> None:
    """The newest assets are searched from memory, and the index is back as soon as it is built anew."""
    await _fill(rig, captions, indexed=True)
    for key in [item.key async for item in rig.store.list("search/")]:
        await rig.store.delete(key)
    for _ in range(3):
        assert (await rig.client.get("/search", params={"q": "boat"})).status_code == httpx.codes.OK
    await rig.keeper.step()
    assert len(await rig.search(q="boat", mode="text")) == 3


async def test_results_beyond_the_filters_do_not_crowd_out_the_rest(rig: Rig) -> None:
    """A rare tag among many nearer assets is found, in meaning and in words."""
    await rig.add_many([{"caption": "a red boat"} for _ in range(250)])
    rare = await rig.add("a red boat far away", tags=["rare"])
    await rig.index()
    for mode in ("semantic", "text", "hybrid"):
        assert await rig.ids_found(q="a red boat", tag="rare", mode=mode) == [rare.id]


async def test_many_deleted_neighbours_do_not_empty_a_search(rig: Rig) -> None:
    """They are still nearest in the index for a moment; the living are found behind them."""
    rows = await rig.add_many([{"caption": "a red boat"} for _ in range(150)])
    await rig.add("a red boat that is left")
    await rig.index()
    body = {"ids": [row.id for row in rows], "delete": True}
    await rig.client.post("/assets/batch", json=body)
    await rig.index()
    for mode in ("semantic", "text", "hybrid"):
        assert await rig.search(q="a red boat", mode=mode) == ["a red boat that is left"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"q": " "},
        {"q": "boat", "like": "01a20cab-78d5-754e-87d0-ed4130bc5e5c"},
        {"q": "x", "mode": "sql"},
    ],
)
async def test_a_search_for_nothing_is_refused(rig: Rig, params: dict[str, Any]) -> None:
    """Or for two things at once, or in a mode that is none."""
    assert (await rig.client.get("/search", params=params)).status_code == 422


async def test_a_vector_is_read_from_the_bucket_where_the_index_lacks_it(
    rig: Rig, captions: list[str]
) -> None:
    """`like` works for an asset that another gallery process knows only from the bucket."""
    await _fill(rig, captions, indexed=True)
    row = await rig.add("a red boat", embedding_by="bag@1", vector=None)
    await rig.store.put(keys.vector(row.id), b'{"embedding": %s}' % str(embed("a red boat")).encode())
    await rig.index()
    assert (await rig.search(like=row.id))[0] == "a red boat"


def test_fusing_lets_the_better_list_decide() -> None:
    """Rare words that one asset has outweigh meaning; words that nobody has leave it to meaning."""
    near = [Hit("a", 0.9), Hit("b", 0.88), Hit("c", 0.2)]
    assert fuse(near, [Hit("b", 9.0), Hit("a", 1.0)], 1.0)[0].id == "b"
    assert fuse(near, [Hit("c", 0.3)], 0.2)[0].id == "a"
    assert [item.id for item in fuse([], [Hit("b", 9.0)], 1.0)] == ["b"]


@pytest.mark.parametrize("mode", ["semantic", "text"])
async def test_what_the_index_takes_over_during_a_search_is_found(
    rig: Rig, captions: list[str], monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    """The index was asked before it had the asset, and what it lacks is looked at after it has it."""
    await _fill(rig, captions, indexed=True)
    boat = await rig.add("a boat like no other")
    ask = IndexReader._find

    async def ask_early(reader: IndexReader, *arguments: Any) -> list[Hit]:
        hits = await ask(reader, *arguments)
        monkeypatch.setattr(IndexReader, "_find", ask)
        assert boat.id not in {hit.id for hit in hits}
        await rig.index()
        return hits

    monkeypatch.setattr(IndexReader, "_find", ask_early)
    assert (await rig.ids_found(q="a boat like no other", mode=mode))[0] == boat.id
    stats = await rig.get("/stats")
    assert stats["index"]["behind"] == 0


_WORDS = (
    "skies",
    "Dying",
    "IMG2041",
    "2041",
    "Änderung",
    "änderungen",
    "boats",
    "Boat",
    "İstanbul",
    "東京タワー",
    "ß",
)


@given(st.lists(st.sampled_from(_WORDS) | st.text(min_size=1, max_size=8), min_size=1, max_size=6), st.data())
def test_the_words_told_are_those_that_find(texts: list[str], data: st.DataObject) -> None:
    """Whatever the script: a word of a row is a reason if, and only if, a word of the query finds it."""
    row = {"caption": " ".join(texts)}
    asked = query_words(data.draw(st.sampled_from(texts)))
    found = [word for word in split_words(row["caption"]) if set(keys_of(word)) & set(asked)]
    told = [{"field": "caption", "words": list(dict.fromkeys(found))[:20]}] if found else []
    assert explain({"a": row}, asked) == {"a": told}
