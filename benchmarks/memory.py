"""Resident memory of the upload API and of the orchestrator while they work: `python -m benchmarks.memory`.

The real processes of `dam demo`, with the Bento on its demo models, on the embedded adapters and on radosgw
and RabbitMQ: the sample pictures, pictures of 24 megapixels one format after the other, then very large
uploads. `--quick` takes radosgw and RabbitMQ alone, whose libraries are the heavier ones, and fewer files.
Exit status 1 where a limit is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.large_files import draw_photographs, write_bitmaps
from benchmarks.resident import Watch
from dam import logs
from dam.catalogue.table import Catalogue
from dam.local.services import running_services
from dam.settings import DamSettings
from dam.uploads import upload_files
from tests.services.rabbitmq import RabbitMq
from tests.services.radosgw import Radosgw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SAMPLES: Final = Path(__file__).parents[1] / "samples"
PARALLEL: Final = 8
LIMITS_MB: Final = {"ingest": 120, "orchestrator_samples": 250, "orchestrator_24mp": 400}
LIMITED_FORMATS: Final = ("jpeg", "progressive_jpeg", "png")
"""What the third limit is held against; the other formats are measured beside it."""


@dataclass(frozen=True, slots=True)
class Work:
    """How many of what. `photographs`: by format; `large_mb`: sizes uploaded at once, one list a round."""

    samples: int
    photographs: Mapping[str, int]
    large_mb: Sequence[Sequence[int]]


QUICK: Final = Work(24, {"jpeg": 4, "png": 1}, [[200]])
FULL: Final = Work(
    60,
    {
        "jpeg": 12,
        "progressive_jpeg": 6,
        "png": 4,
        "heic": 2,
        "progressive_jpeg_444": 2,
        "png_with_alpha": 2,
        "tiff": 2,
        "webp": 2,
    },
    [[200], [40, 41, 42, 43, 44, 45]],
)


@dataclass
class Run:
    """Running services on one pair of adapters, and their peaks in MB by phase and service."""

    settings: DamSettings
    folder: Path
    work: Work
    peaks_mb: dict[str, dict[str, float]] = field(default_factory=dict)
    outcomes: dict[str, int] = field(default_factory=dict)

    async def measure(self) -> None:
        """Start the services, give them the work, and note their peaks."""
        async with AsyncExitStack() as stack:
            addresses, children = await stack.enter_async_context(running_services(self.settings))
            catalogue = await Catalogue.open(self.settings)
            stack.push_async_callback(catalogue.close)
            pids = {child.command.name: child.pid for child in children}
            watch = Watch({name: pids[name] for name in ("ingest", "orchestrator")})
            samples = sorted(path for path in SAMPLES.iterdir() if path.suffix not in {".md", ".json"})
            await self._enrich(addresses.ingest, catalogue, watch, "samples", samples[: self.work.samples])
            for name, count in self.work.photographs.items():
                paths = await asyncio.to_thread(draw_photographs, self.folder, name, count)
                await self._enrich(addresses.ingest, catalogue, watch, f"24mp_{name}", paths)
            # Such bitmaps are no work for the orchestrator: it would read them whole.
            await next(child for child in children if child.command.name == "orchestrator").stop()
            alone = Watch({"ingest": pids["ingest"]})
            for number, sizes in enumerate(self.work.large_mb):
                folder = self.folder / f"large-{number}"
                folder.mkdir()
                async with alone.over():
                    await self._upload(addresses.ingest, write_bitmaps(folder, *sizes))
                self.peaks_mb[f"large_{number}"] = alone.peaks_mb()

    async def _enrich(
        self, url: str, catalogue: Catalogue, watch: Watch, phase: str, paths: Sequence[Path]
    ) -> None:
        """Upload and wait until every asset has its row."""
        async with watch.over():
            waiting = await self._upload(url, paths)
            while waiting:
                await asyncio.sleep(0.1)
                for asset_id, row in (await catalogue.current(waiting)).items():
                    self.outcomes[row.status] = self.outcomes.get(row.status, 0) + 1
                    waiting.discard(asset_id)
        self.peaks_mb[phase] = watch.peaks_mb()
        print(f"{self.settings.store_url}: {phase}: {self.peaks_mb[phase]}", file=sys.stderr)

    async def _upload(self, url: str, paths: Sequence[Path]) -> set[str]:
        results = await upload_files(url, paths, PARALLEL)
        refused = [result for result in results if not result.is_there]
        if refused:
            raise RuntimeError(f"{refused[0].path.name} was not taken: {refused[0].reason}")
        return {str(result.asset_id) for result in results}


def measure(*, quick: bool) -> dict[str, Run]:
    """The runs by adapters."""
    work = QUICK if quick else FULL
    runs = {}
    with tempfile.TemporaryDirectory() as temporary:
        for adapters in ("real",) if quick else ("embedded", "real"):
            folder = Path(temporary, adapters)
            folder.mkdir()
            with tempfile.TemporaryDirectory() as data, ExitStack() as stack:
                # The services inherit it; this is the one way to give them credentials.
                os.environ["DAM_DATA_DIR"] = data
                if adapters == "real":
                    radosgw = stack.enter_context(Radosgw())
                    os.environ["DAM_QUEUE_URL"] = stack.enter_context(RabbitMq()).new_vhost()
                    os.environ.update(radosgw.environment(radosgw.create_bucket()))
                runs[adapters] = Run(DamSettings(), folder, work)
                asyncio.run(runs[adapters].measure())
    return runs


def report(runs: Mapping[str, Run], *, quick: bool) -> dict[str, Any]:
    """The printed object; `ratio` is the worst peak over its limit."""
    phases = [(phase, peaks) for run in runs.values() for phase, peaks in run.peaks_mb.items()]
    photographs = {f"24mp_{name}" for name in LIMITED_FORMATS}
    worst = {
        "ingest": max(peaks["ingest"] for _, peaks in phases),
        "orchestrator_samples": max(peaks["orchestrator"] for phase, peaks in phases if phase == "samples"),
        "orchestrator_24mp": max(peaks["orchestrator"] for phase, peaks in phases if phase in photographs),
    }
    return {
        "benchmark": "memory",
        "quick": quick,
        "unit": "MB of a million bytes, resident: the larger of samples every 20 ms and VmHWM",
        "bento": "the real one, demo models",
        "limits": LIMITS_MB,
        "limited_formats": LIMITED_FORMATS,
        "peaks": worst,
        "ratio": round(max(worst[name] / limit for name, limit in LIMITS_MB.items()), 3),
        "within_limits": all(worst[name] <= limit for name, limit in LIMITS_MB.items()),
        "runs": {name: {"peaks": run.peaks_mb, "rows": run.outcomes} for name, run in runs.items()},
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    quick = parser.parse_args().quick
    logs.configure("ERROR", json=False)
    result = report(measure(quick=quick), quick=quick)
    print(json.dumps(result))
    return 0 if result["within_limits"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
