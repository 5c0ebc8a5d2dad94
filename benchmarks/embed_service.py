"""Pictures a second of `POST /embed`, beside the bare model: `python -m benchmarks.embed_service`.

32 clients; ViT-B/32 with random weights, JPEGs of 640 x 480, decoding included on both sides:
`service_share`. The last line is JSON. `--quick`: a tiny model.
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

NAME: Final = "embed_service"


async def measure(plan: Plan, _: Namespace) -> Comparison:
    """Five pairs."""
    question = Question(
        name=NAME,
        aim=">= 0.90 of the bare model at its best batch",
        route=routes.EMBED,
        lane="embed_image",
        clients=32,
        pictures=32 if plan.quick else 128,
        work=lambda bare: bare.embed,
        batches=(4, 16) if plan.quick else (1, 2, 4, 8, 16, 32),
    )
    return await compare(question, plan)


def main(argv: Sequence[str] | None = None) -> Comparison:
    """Measure, and print one JSON object on the last line."""
    return run(NAME, __doc__, measure, argv=argv)


if __name__ == "__main__":
    main()
