"""How well the gallery finds pictures by words: `python -m benchmarks.search_quality [--quick] [--url URL]`.

Held-out pictures, captioned and embedded by the running Bento with the demo models, are committed with file
names and tags; the index's keeper indexes them; the real gallery is asked with `GET /search` in each mode.
`first` is the share of queries whose first result is wanted, `at_10` the share of what is wanted among the
first ten. Beside hybrid's own fusing stands reciprocal rank fusion of the same two lists.

`--quick` takes 100 of the 500 pictures. `ratio` is the smallest of the figures over what is wanted of them.
The last line is JSON; exit status 1 where one falls short.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import numpy as np

from benchmarks.demo_quality import AT_ONCE, QUICK_PICTURES, send
from benchmarks.search_quality_queries import MIXED, Filed, Query, file_pictures, make_queries
from benchmarks.search_service import ask, index_now, running_gallery
from dam import logs, routes
from dam.catalogue import Catalogue, Change, Committed
from dam.ids import new_id
from dam.settings import DamSettings
from demo_models.scoring import PICTURES, SEED, encode_jpeg
from tests.bentos.serving import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiohttp

RECALL: Final = 0.90
CLEARLY: Final = 0.20
"""So much more often must hybrid be right than meaning alone, where meaning cannot know."""
MODES: Final = ("semantic", "text", "hybrid")
RANK_FUSION: Final = "rank_fusion"
_RANK_CONSTANT: Final = 60
_LIST: Final = 50
_SEARCHES_AT_ONCE: Final = 4
_TEN: Final = 10
_TIMEOUT_S: Final = 300.0
_KEEPALIVE_S: Final = 2.0  # shorter than the server's 5, so that nothing goes out on a connection just closed

Scores = dict[str, dict[str, dict[str, float]]]


async def measure(url: str, count: int, folder: Path) -> dict[str, Any]:
    """Every figure, for `count` pictures."""
    settings = DamSettings(data_dir=folder)
    pictures = file_pictures(SEED, count)
    ids = await fill(settings, url, pictures)
    await index_now(settings)
    queries = list(make_queries(pictures))
    places = {asset_id: at for at, asset_id in enumerate(ids)}
    at_once = asyncio.Semaphore(_SEARCHES_AT_ONCE)
    async with running_gallery(settings, url) as (client, _):

        async def find(query: Query) -> dict[str, list[int]]:
            async with at_once:
                return await search(client, query, places)

        found = await asyncio.gather(*(find(query) for query in queries))
    scores = reckon(queries, found)
    wanted = judge(scores)
    ratios = [value / least for value, least in wanted.values() if least > 0]
    return {
        "pictures": count,
        "scores": scores,
        "wanted": {name: {"is": value, "at_least": least} for name, (value, least) in wanted.items()},
        "ratio": round(min(ratios), 3),
    }


async def fill(settings: DamSettings, url: str, pictures: Sequence[Filed]) -> list[str]:
    """Caption, embed and commit all pictures; their ids."""
    limits = httpx.Limits(max_connections=AT_ONCE, keepalive_expiry=_KEEPALIVE_S)
    places = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits, trust_env=False) as client:

        async def enrich(picture: Filed) -> Change:
            async with places:
                data = await asyncio.to_thread(encode_jpeg, picture.scene)
                caption = await send(client, routes.CAPTION, files={"image": data})
                vector = await send(client, routes.EMBED, files={"image": data})
            return _make_change(picture, caption, vector)

        changes = await asyncio.gather(*(enrich(picture) for picture in pictures))
    catalogue = await Catalogue.open(settings)
    try:
        outcomes = await catalogue.commit(changes)
    finally:
        await catalogue.close()
    return [outcome.row.id for outcome in outcomes if isinstance(outcome, Committed)]


def _make_change(picture: Filed, caption: dict[str, Any], vector: dict[str, Any]) -> Change:
    values = {
        "filename": picture.filename,
        "tags": [picture.person],
        "mime_type": "image/jpeg",
        "asset_type": "image",
        "caption": caption["caption"],
        "caption_by": f"{caption['model']}@{caption['revision']}",
        "embedding": vector["embedding"],
        "embedding_by": f"{vector['model']}@{vector['revision']}",
    }
    return Change(new_id(), new_id(), 0, "enriched", "ready", "orchestrator", values)


async def search(client: aiohttp.ClientSession, query: Query, places: dict[str, int]) -> dict[str, list[int]]:
    """What each mode answers, as positions of pictures; and the two lists fused by their ranks."""
    found = {}
    for mode in MODES:
        params = {"q": query.text, "mode": mode, "limit": _LIST}
        answer = json.loads(await ask(client, "/api/search", params))
        if answer["degraded"]:
            raise RuntimeError(f"A search was degraded: {answer['reason']}")
        found[mode] = [places[item["asset"]["id"]] for item in answer["items"]]
    return {**found, RANK_FUSION: fuse_ranks(found["semantic"], found["text"])}


def fuse_ranks(*lists: Sequence[int]) -> list[int]:
    """Reciprocal rank fusion, as it is in the literature."""
    scores: dict[int, float] = defaultdict(float)
    for found in lists:
        for rank, at in enumerate(found, 1):
            scores[at] += 1 / (_RANK_CONSTANT + rank)
    return sorted(scores, key=lambda at: -scores[at])


def reckon(queries: Sequence[Query], found: Sequence[dict[str, list[int]]]) -> Scores:
    """By kind of query and by mode."""
    shares: dict[str, dict[str, list[tuple[float, float]]]] = defaultdict(lambda: defaultdict(list))
    for query, lists in zip(queries, found, strict=True):
        for mode, order in lists.items():
            first = float(bool(order) and order[0] in query.wanted)
            hits = len(query.wanted.intersection(order[:_TEN]))
            shares[query.kind][mode].append((first, hits / min(_TEN, len(query.wanted))))
    return {kind: {mode: _mean(pairs) for mode, pairs in by_mode.items()} for kind, by_mode in shares.items()}


def _mean(pairs: Sequence[tuple[float, float]]) -> dict[str, float]:
    first, at_10 = np.mean(pairs, axis=0)
    return {"first": round(float(first), 4), "at_10": round(float(at_10), 4)}


def judge(scores: Scores) -> dict[str, tuple[float, float]]:
    """Each figure that something is wanted of, with the least that is wanted."""
    wanted = {
        "recall_at_1_semantic": (scores["caption"]["semantic"]["first"], RECALL),
        "recall_at_1_hybrid": (scores["caption"]["hybrid"]["first"], RECALL),
    }
    for kind, by_mode in scores.items():
        more = CLEARLY if kind in MIXED else 0.0
        for figure in ("first", "at_10"):
            least = by_mode["semantic"][figure] + (more if figure == "first" else 0.0)
            wanted[f"{kind}_{figure}"] = (by_mode["hybrid"][figure], round(least, 4))
    return wanted


def main() -> int:
    """Measure, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_PICTURES} pictures, under a minute")
    parser.add_argument("--url", help="a running Bento; without it one is started and stopped again")
    arguments = parser.parse_args()
    logs.configure("WARNING", json=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dam-quality-")))
        url = arguments.url or stack.enter_context(running(folder, {})).url
        count = QUICK_PICTURES if arguments.quick else PICTURES
        figures = asyncio.run(measure(url, count, folder / "data"))
    print(json.dumps({"benchmark": "search_quality", "quick": arguments.quick, **figures}))
    return 0 if figures["ratio"] >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
