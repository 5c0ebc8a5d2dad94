"""What the benchmarks of the Bento's models share: their command line, their pictures, and taking turns.

Used by `embed_service`, `embed_peer`, `caption_service`, `caption_model` and `latency`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from benchmarks.batching import Plan
from benchmarks.bento_load import photograph
from benchmarks.bento_phases import say

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from benchmarks.bare_model import Cost
    from benchmarks.pairing import Comparison

PAIRS: Final = 5
WIDTH: Final = 640
HEIGHT: Final = 480


class Pair(NamedTuple):
    """The costs of the same work in one run: ours, and that of what ours is held against."""

    ours: Cost
    theirs: Cost

    def told(self) -> str:
        """For a person who waits: should they not wait for the end, the pairs so far are on the screen."""
        sides = [f"{cost.wall:.2f} s ({cost.cpu:.2f} s of processor)" for cost in self]
        return f"{sides[0]} beside {sides[1]}"


def run(
    name: str,
    description: str | None,
    measure: Callable[[Plan, argparse.Namespace], Coroutine[Any, Any, Comparison]],
    *options: tuple[str, str],
    argv: Sequence[str] | None = None,
) -> Comparison:
    """The whole of a benchmark: read the command line, measure in a folder of its own, print.

    `options` are further ones of the command line, each with its help; `argv` stands in for it.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="tiny models and short runs: under a minute")
    for option, explained in options:
        parser.add_argument(option, type=Path, required=True, help=explained)
    arguments = parser.parse_args(argv)
    if "OMP_WAIT_POLICY" not in os.environ:  # OpenMP reads it when torch is loaded, which is before here
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as the service has it: both compared alike
        os.execv(sys.executable, [sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]])  # noqa: S606
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(Path(folder), quick=arguments.quick, stock=False)
        comparison = asyncio.run(measure(plan, arguments))
    comparison.print()
    return comparison


def photographs(count: int) -> list[bytes]:
    """JPEGs of 640 x 480, each with a content of its own."""
    return [photograph(seed, WIDTH, HEIGHT) for seed in range(count)]


def repeat(pictures: Sequence[bytes], count: int) -> list[bytes]:
    """So many pictures, from the first again where there are fewer."""
    return [pictures[number % len(pictures)] for number in range(count)]


async def take_turns(
    ours: Callable[[], Awaitable[Cost]], theirs: Callable[[], Awaitable[Cost]], pairs: int = PAIRS
) -> list[Pair]:
    """Both, one after the other, so often; who is first changes, so that no drift favours one."""
    taken: list[Pair] = []
    for number in range(pairs):
        if number % 2:
            first = await ours()
            taken.append(Pair(first, await theirs()))
        else:
            first = await theirs()
            taken.append(Pair(await ours(), first))
        say(f"pair {number + 1} of {pairs}: {taken[-1].told()}")
    return taken
