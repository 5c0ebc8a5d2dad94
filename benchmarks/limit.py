"""How near the models are to what this machine can compute: `python -m benchmarks.limit [--quick]`.

The machine's matrix throughput (float32, the best of some sizes, packed for oneDNN and not), the operations
that each model needs for a picture, counted by PyTorch, and the time that it takes, decoding left out. Their
quotient is the share of the limit that is reached. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.bento_load import photograph
from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import locate
from bentos.packing import PackedLinear
from bentos.tiny import write_set
from dam.pictures.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIDES: Final = (512, 1024, 2048)
_BATCH: Final = 8
_GIGA: Final = 1e9


def main() -> None:
    """Measure, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny models, few repetitions")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measure(Path(folder), quick=quick)))


def measure(folder: Path, *, quick: bool) -> dict[str, Any]:
    """The limit, and each model's share of it."""
    size, times = ("tiny", 3) if quick else ("base", 5)
    write_set(folder / size, size)
    located = locate(size, folder)
    embedder, captioner = Embedder(located.embedder), Captioner(located.captioner)
    images = [decode(photograph(number)) for number in range(_BATCH)]
    peak = max(_time_matrices(side, times) for side in _SIDES)
    models = {
        "embed": _measure_model(
            embedder, Embedder.embed_images, [embedder.prepare_image(image) for image in images], times
        ),
        "caption": _measure_model(
            captioner, Captioner.caption, [captioner.prepare(image) for image in images], times
        ),
    }
    for figures in models.values():
        figures["share_of_limit"] = round(figures["gflop_s"] / peak, 3)
    return {
        "name": "limit",
        "matrix_gflop_s": round(peak, 1),
        "torch_threads": torch.get_num_threads(),
        "batch": _BATCH,
        "models": models,
    }


def _time_matrices(side: int, times: int) -> float:
    """GFLOP a second of square float32 matrices: the median, of the better way."""
    left, right = torch.rand(side, side), torch.rand(side, side)
    ways: list[Callable[[torch.Tensor], torch.Tensor]] = [PackedLinear(right, None), right.mm]
    repeat = max(1, round(4e9 / (2 * side**3)))

    def multiply(way: Callable[[torch.Tensor], torch.Tensor]) -> None:
        for _ in range(repeat):
            way(left)

    seconds = []
    for way in ways:
        multiply(way)
        seconds.append(statistics.median(_time(partial(multiply, way)) for _ in range(times)))
    return 2 * side**3 * repeat / _GIGA / min(seconds)


def _measure_model(model: Any, method: Any, pixels: list[torch.Tensor], times: int) -> dict[str, Any]:
    """Per picture, decoded: operations (matrix products, convolutions), seconds, and their quotient."""
    # In inference mode, and on its fast path for attention, PyTorch hands whole layers on, which its counter
    # does not know: so both are off here.
    torch.backends.mha.set_fastpath_enabled(value=False)
    packed = {torch.ops.mkldnn._linear_pointwise: _count_packed}  # noqa: SLF001 - as in bentos.packing
    with FlopCounterMode(display=False, custom_mapping=packed) as counter, torch.no_grad():
        method.__wrapped__(model, pixels)
    torch.backends.mha.set_fastpath_enabled(value=True)
    gflop = counter.get_total_flops() / _GIGA / len(pixels)
    seconds = statistics.median(_time(lambda: method(model, pixels)) for _ in range(times)) / len(pixels)
    return {
        "gflop_per_picture": round(gflop, 3),
        "s_per_picture": round(seconds, 4),
        "gflop_s": round(gflop / seconds, 1),
    }


def _count_packed(inputs: Sequence[int], weight: Sequence[int], *_: object, **__: object) -> int:
    """Operations of a packed product, of the shapes of what is multiplied."""
    return 2 * math.prod(inputs) * weight[0]


def _time(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
