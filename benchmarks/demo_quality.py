"""How well the demo models caption and find: `python -m benchmarks.demo_quality [--quick] [--url URL]`.

Held-out pictures with different captions, drawn as the samples were, through the running Bento, many calls
at once. It starts the service itself unless `--url` names one. `ratio` is the smaller of the two scores over
what is wanted of it. The last line is JSON; exit status 1 where a score is below what is wanted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx

from dam import routes
from dam.drawing.scenes import distinct_held_out
from demo_models.scoring import PICTURES, SEED, encode_jpeg, reckon
from tests.bentos.serving import running

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dam.drawing.scenes import Scene

QUICK_PICTURES: Final = 100
AT_ONCE: Final = 24
WANTED: Final = {"caption_exact_match": 0.95, "recall_at_1": 0.90}
_SHOWN: Final = 10
_TIMEOUT_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Answers:
    """What the Bento said of one picture and of its true caption."""

    caption: str
    image_vector: list[float]
    text_vector: list[float]


def main() -> None:
    """Measure, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_PICTURES} pictures instead of {PICTURES}"
    )
    parser.add_argument("--url", help="a running Bento; without it one is started and stopped again")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        url = arguments.url
        if url is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = stack.enter_context(running(folder, {})).url
        figures = asyncio.run(measure(url, QUICK_PICTURES if arguments.quick else PICTURES))
    print(json.dumps({"benchmark": "demo_quality", "quick": arguments.quick, **figures}))
    sys.exit(figures["ratio"] < 1)


async def measure(url: str, count: int) -> dict[str, Any]:
    """Every figure of this benchmark, for `count` pictures."""
    scenes = distinct_held_out(SEED, count)
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with httpx.AsyncClient(base_url=url, timeout=_TIMEOUT_S, limits=limits, trust_env=False) as client:
        models = (await client.get(routes.MODELS)).raise_for_status().json()
        started = time.perf_counter()
        answers = await ask_all(client, scenes)
        seconds = time.perf_counter() - started
    scores = reckon(
        scenes,
        [answer.caption for answer in answers],
        [answer.image_vector for answer in answers],
        [answer.text_vector for answer in answers],
    )
    wrong = [
        {"true": scene.caption, "said": answer.caption}
        for scene, answer in zip(scenes, answers, strict=True)
        if answer.caption != scene.caption
    ]
    ratio = min(scores[name] / wanted for name, wanted in WANTED.items())
    return {
        **scores,
        "wanted": WANTED,
        "ratio": round(ratio, 3),
        "wrong_captions": wrong[:_SHOWN],
        "models": models,
        "calls_at_once": AT_ONCE,
        "seconds": round(seconds, 1),
    }


async def ask_all(client: httpx.AsyncClient, scenes: Sequence[Scene]) -> list[Answers]:
    """All pictures, `AT_ONCE` of them under way at any time; a refusal ends the run."""
    places = asyncio.Semaphore(AT_ONCE)

    async def ask(scene: Scene) -> Answers:
        async with places:
            picture = await asyncio.to_thread(encode_jpeg, scene)
            async with asyncio.TaskGroup() as group:
                caption = group.create_task(send(client, routes.CAPTION, files={"image": picture}))
                image = group.create_task(send(client, routes.EMBED, files={"image": picture}))
                text = group.create_task(send(client, routes.EMBED, json={"text": scene.caption}))
        return Answers(caption.result()["caption"], image.result()["embedding"], text.result()["embedding"])

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask(scene)) for scene in scenes]
    return [task.result() for task in tasks]


async def send(client: httpx.AsyncClient, route: str, **body: Any) -> Any:
    """One call and its JSON. Raises RuntimeError with the problem's own words."""
    answer = await client.post(route, **body)
    if not answer.is_success:
        raise RuntimeError(f"{route} answered {answer.status_code}: {answer.text}")
    return answer.json()


if __name__ == "__main__":
    main()
