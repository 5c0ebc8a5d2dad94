"""Trains the demo models from scratch, on the CPU: `python -m demo_models.training --out FOLDER`.

Writes a checkpoint now and then and continues from it; the same seed sees the same pictures. Ends by writing
the model set and its learning curve. Held-out pictures are only scored: nothing is learnt or chosen by them.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import nn

from bentos.modelsets import CAPTIONER_FOLDER
from demo_models.models import Pair, make_pair, write_set
from demo_models.pictures import draw_ahead
from demo_models.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

WEIGHTS: Final = {"caption": 1.0, "matching": 0.3, "patches": 0.5}
CURVE: Final = "curve.json"
"""The file beside the set: losses at every step told, held-out scores at those that were scored."""
CURVE_SEED: Final = 400
CURVE_PICTURES: Final = 100
_MUON_LR: Final = 3e-3
_ADAM_LR: Final = 2e-3
_AVERAGED: Final = 0.995
"""How much of the averaged weights each step keeps; the average is what is written."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and with what; everything that a run depends on."""

    steps: int = 3200
    batch: int = 64
    seed: int = 1
    warm_up: int = 150
    decay_from: float = 0.5

    def revision(self, step: int) -> str:
        """What the set is called that this plan has made of its models by this step."""
        return f"drawn-{self.seed}-{step}"


class Learner:
    """A pair, its averaged weights and its optimisers, at some step."""

    def __init__(self, pair: Pair, plan: Plan) -> None:
        self.pair, self.plan, self.step = pair, plan, 0
        self.seconds = 0.0
        self.curve: list[dict[str, float]] = []
        keeps_average = torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGED)  # type: ignore[no-untyped-call] # torch's own
        # Any: torch types what it wraps as a Module, and a Pair is asked for.
        self.averaged: Any = torch.optim.swa_utils.AveragedModel(pair, multi_avg_fn=keeps_average)
        matrices, rest = _split(pair)
        self.optimisers: list[torch.optim.Optimizer] = [
            # Orthogonalised steps learn this world from about half the pictures that AdamW alone needs.
            torch.optim.Muon(matrices, lr=_MUON_LR, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=_ADAM_LR, weight_decay=0.01, betas=(0.9, 0.98)),
        ]
        self._peaks = [_MUON_LR, _ADAM_LR]

    def learn(self, batch: Any) -> dict[str, float]:
        """One step; answers the losses."""
        for optimiser, peak in zip(self.optimisers, self._peaks, strict=True):
            optimiser.param_groups[0]["lr"] = peak * self._share()
        with torch.autocast("cpu", torch.bfloat16):
            losses = self.pair(batch)
        loss = torch.stack([WEIGHTS[name] * value.float() for name, value in losses.items()]).sum()
        loss.backward()  # type: ignore[no-untyped-call] # torch's own
        nn.utils.clip_grad_norm_(self.pair.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.averaged.update_parameters(self.pair)
        self.step += 1
        return {name: value.item() for name, value in losses.items()}

    def save(self, path: Path) -> None:
        """Everything that a run needs to continue, put in place at once."""
        state = {
            "pair": self.pair.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "step": self.step,
            "seconds": self.seconds,
            "curve": self.curve,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def load(self, path: Path) -> None:
        """Continue what `save` kept."""
        state = torch.load(path, weights_only=True)
        self.pair.load_state_dict(state["pair"])
        self.averaged.load_state_dict(state["averaged"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.step, self.seconds, self.curve = state["step"], state["seconds"], state["curve"]

    def _share(self) -> float:
        """Of the peak learning rate: up, level, down to nothing."""
        down = (self.plan.steps - self.step) / (self.plan.steps * (1 - self.plan.decay_from))
        return min(1.0, (self.step + 1) / self.plan.warm_up, down)


def _split(pair: Pair) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The matrices inside the transformers, and all other weights."""
    inside = ("encoder.layer", "resblocks", "transformer.")
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in pair.named_parameters():
        is_matrix = parameter.ndim == 2 and any(part in name for part in inside)  # noqa: PLR2004 - two axes
        (matrices if is_matrix else rest).append(parameter)
    return matrices, rest


@dataclass(frozen=True, slots=True)
class Pauses:
    """After how many steps each: losses told, state kept, held-out pictures scored."""

    tell: int = 50
    keep: int = 250
    score: int = 400


def train(
    plan: Plan,
    out: Path,
    checkpoint: Path | None,
    tell: Callable[[dict[str, float]], None],
    pauses: Pauses | None = None,
) -> Learner:
    """Train to the plan's end, continuing from the checkpoint if there is one, and write the set to `out`."""
    pauses = pauses or Pauses()
    torch.manual_seed(plan.seed)
    learner = Learner(make_pair(out / CAPTIONER_FOLDER), plan)
    if checkpoint is not None and checkpoint.is_file():
        learner.load(checkpoint)
    started = time.monotonic() - learner.seconds
    for batch in draw_ahead(plan.seed, range(learner.step, plan.steps), plan.batch):
        losses = learner.learn(batch)
        learner.seconds = round(time.monotonic() - started, 1)
        ends = learner.step == plan.steps
        if ends or learner.step % pauses.score == 0:
            losses |= _score_so_far(learner, out)
        if ends or learner.step % pauses.tell == 0:
            learner.curve.append({"step": learner.step, "seconds": learner.seconds, **losses})
            tell(learner.curve[-1])
        if checkpoint is not None and (ends or learner.step % pauses.keep == 0):
            learner.save(checkpoint)
    write_set(learner.averaged.module, out, plan.revision(learner.step))
    (out / CURVE).write_text(json.dumps(learner.curve, indent=1) + "\n", encoding="utf-8")
    return learner


def _score_so_far(learner: Learner, out: Path) -> dict[str, float]:
    """Write the averaged weights as they are now, and score them on pictures of the held-out side."""
    write_set(learner.averaged.module, out, learner.plan.revision(learner.step))
    shares = score(out, CURVE_PICTURES, seed=CURVE_SEED)
    return {name: shares[name] for name in ("caption_exact_match", "recall_at_1")}


def main() -> None:
    """The command line."""
    plan = Plan()
    parser = argparse.ArgumentParser(description="Train the demo models from scratch.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model set")
    parser.add_argument("--checkpoint", type=Path, help="file to continue from and to keep")
    parser.add_argument("--steps", type=int, default=plan.steps)
    parser.add_argument("--batch", type=int, default=plan.batch)
    parser.add_argument("--seed", type=int, default=plan.seed)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = Plan(steps=arguments.steps, batch=arguments.batch, seed=arguments.seed)
    train(chosen, arguments.out, arguments.checkpoint, lambda line: print(json.dumps(line), flush=True))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
