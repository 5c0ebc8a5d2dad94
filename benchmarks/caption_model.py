"""Our captioner in batches, beside transformers' own `generate`: `python -m benchmarks.caption_model`.

No service: the same weights of BLIP base size, random, 20 tokens a caption, JPEGs of 640 x 480 decoded on
both sides; `generate` is called one by one. The captions must be the same texts, else the ratio says nothing:
exit status 1. The last line is JSON. `--quick`: a tiny model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch
from transformers import BlipForConditionalGeneration, BlipProcessor

from benchmarks.bare_model import BareModel, Cost, rate_by_batch, run_through
from benchmarks.bento_phases import say
from benchmarks.pairing import Comparison
from benchmarks.service_share import tell
from benchmarks.turns import photographs, run, take_turns
from bentos.modelsets import locate
from bentos.tiny import write_set
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.batching import Plan

NAME: Final = "caption_model"
TOKENS: Final = 20


class PlainBlip:
    """BLIP as its model card shows it, one picture a call."""

    def __init__(self, folder: Path) -> None:
        self._processor: Any = BlipProcessor.from_pretrained(folder, local_files_only=True)
        model: Any = BlipForConditionalGeneration.from_pretrained(folder, local_files_only=True)
        self._model: Any = model.eval()

    @torch.inference_mode()
    def caption(self, pictures: Sequence[bytes]) -> list[str]:
        """Captions of encoded pictures, one after the other."""
        return [self._caption(picture) for picture in pictures]

    def _caption(self, picture: bytes) -> str:
        inputs = self._processor(images=decode(picture), return_tensors="pt")
        tokens = self._model.generate(**inputs, max_new_tokens=TOKENS)
        caption: str = self._processor.decode(tokens[0], skip_special_tokens=True)
        return caption.strip()


async def measure(plan: Plan, _: Namespace) -> Comparison:
    """Five pairs."""
    say(f"writing untrained models of size {plan.size}")
    write_set(plan.folder / plan.size, plan.size)
    ours = BareModel(plan.folder, plan.size)
    plain = PlainBlip(locate(plan.size, plan.folder).captioner)
    pictures = photographs(16)
    say("our captioner by size of batch")
    rates = rate_by_batch(ours.caption, pictures, (4, 8) if plan.quick else (8, 16))
    best = max(rates, key=lambda batch: rates[batch])
    plain.caption(pictures[:1])

    async def batched() -> Cost:
        return run_through(ours.caption, pictures, best)

    async def one_by_one() -> Cost:
        return run_through(plain.caption, pictures, 1)

    pairs = await take_turns(batched, one_by_one)
    texts = ours.caption(pictures), plain.caption(pictures)
    figures = {
        "models": f"untrained, of size {plan.size}",
        "ours_per_second_by_batch": rates,
        "batch": best,
        **tell(pairs, len(pictures), "batched", "one_by_one"),
        "same_texts": sum(one == other for one, other in zip(*texts, strict=True)),
        "different_texts": len(set(texts[1])),
        "a_text": texts[1][0],
    }
    runs = [pair.theirs.wall / pair.ours.wall for pair in pairs]
    return Comparison(NAME, ">= 1.8 of transformers' generate, one by one", runs, figures)


def main(argv: Sequence[str] | None = None) -> Comparison:
    """Measure, and print one JSON object on the last line. Raises SystemExit where the texts differ."""
    comparison = run(NAME, __doc__, measure, argv=argv)
    if comparison.figures["same_texts"] != comparison.figures["pictures_a_run"]:
        raise SystemExit("The captions are not the same on both sides: the ratio says nothing.")
    return comparison


if __name__ == "__main__":
    main()
