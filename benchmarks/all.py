"""Every benchmark with an aim, one after the other: `python -m benchmarks.all [--quick] [NAMES]`.

Each is a process of its own. What they print becomes `results.json`, and of that a table in `RESULTS.md`
and its plot; those that did not run this time stay as they were. The figures of `--quick` mean little: they
go into `build/benchmarks/` instead of `benchmarks/`. Exit status 1 where one has failed; a missed aim is a
result like any other.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import results

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARED: Final = {
    "embed_service": "embeddings a second from `/embed`, and from the bare model in the best batches",
    "embed_peer": "embeddings a second from `/embed`, and from another server with the same weights",
    "caption_service": "captions a second from `/caption`, and from the bare model in the best batches",
    "caption_model": "captions a second of our batched BLIP, and of `generate` in transformers",
    "latency": "a lone `/embed` or `/caption` on a quiet service, and the bare model",
    "upload": "`POST /upload` with 64 clients, and the same requests by aioboto3 and aio-pika alone",
    "catalogue": "what a committed row costs at 1,000,000 rows, and at 1,000",
    "pipeline": "pictures a second from upload to row, and of the models alone without any I/O",
    "pipeline_peer": "pictures a second from queue to row at 100,000 rows, and of one blocking worker",
    "start": "seconds until the upload API and the orchestrator are ready, and what is allowed",
}
"""Every benchmark with an aim, in the order that they run."""
ROOT: Final = Path(__file__).parents[1]
OPTIONS: Final = {"embed_peer": ("--peer-env", str(ROOT / "build" / "peer"))}
"""What one needs to be told; the other server's environment is made there, if it is not there yet."""


class BenchmarkFailedError(Exception):
    """It ended with an error, or said nothing that can be read."""


def run(name: str, *, quick: bool) -> dict[str, Any]:
    """What a benchmark says, with the day and how long it took. Raises `BenchmarkFailedError`."""
    options = [*OPTIONS.get(name, ()), *(["--quick"] if quick else [])]
    command = [sys.executable, "-m", f"benchmarks.{name}", *options]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise BenchmarkFailedError(f"{name} ended with status {done.returncode}; its error stands above.")
    try:
        said = dict(json.loads(done.stdout.strip().rpartition("\n")[2]))
    except ValueError as error:
        raise BenchmarkFailedError(f"The last line of {name} is no JSON object: {error}") from error
    today = datetime.now(UTC).date().isoformat()
    return {
        **said,
        "compared": COMPARED[name],
        "quick": quick,
        "date": today,
        "took_s": round(seconds),
    }


def run_all(names: Sequence[str], folder: Path, *, quick: bool) -> list[str]:
    """Run these, and write after each; what went wrong, one sentence each."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = []
    for name in names:
        print(f"== {name}", flush=True)
        try:
            result = run(name, quick=quick)
        except BenchmarkFailedError as error:
            failures.append(str(error))
            continue
        print(f"{results.describe(result)}, after {result['took_s']} s", flush=True)
        results.write(folder, {**results.read(folder), name: result}, list(COMPARED))
    return failures


def main() -> int:
    """Run what the command line names, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(COMPARED)}")
    parser.add_argument("--quick", action="store_true", help="each in under a minute; figures mean little")
    parser.add_argument("--into", type=Path, help="another folder for the results")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - COMPARED.keys():
        parser.error(f"There is no benchmark with an aim named {', '.join(sorted(unknown))}.")
    usual = ROOT / "build" / "benchmarks" if arguments.quick else ROOT / "benchmarks"
    folder = arguments.into or usual
    failures = run_all(arguments.names or list(COMPARED), folder, quick=arguments.quick)
    print("\n".join([*failures, f"The results are in {folder / results.TABLE}."]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
