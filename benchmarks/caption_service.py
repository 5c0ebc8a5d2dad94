"""Captions a second of `POST /caption`, beside the bare model: `python -m benchmarks.caption_service`.

16 clients; BLIP base with random weights, 20 tokens a caption, JPEGs of 640 x 480, decoding included on both
sides: `service_share`. The last line is JSON. `--quick`: a tiny model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.service_share import Question, compare
from benchmarks.turns import run
from dam import routes

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

    from benchmarks.batching import Plan
    from benchmarks.pairing import Comparison

NAME: Final = "caption_service"


async def measure(plan: Plan, _: Namespace) -> Comparison:
    """Five pairs."""
    question = Question(
        name=NAME,
        aim=">= 0.90 of the bare model at its best batch",
        route=routes.CAPTION,
        lane="caption",
        clients=16,
        pictures=32,
        work=lambda bare: bare.caption,
        batches=(4, 8) if plan.quick else (8, 16),
    )
    return await compare(question, plan)


def main(argv: Sequence[str] | None = None) -> Comparison:
    """Measure, and print one JSON object on the last line."""
    return run(NAME, __doc__, measure, argv=argv)


if __name__ == "__main__":
    main()
