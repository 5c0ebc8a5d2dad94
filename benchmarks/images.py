"""What each image holds and takes: `sudo python -m benchmarks.images [ingest orchestrator bento gallery]`.

Each Dockerfile is followed in a minimal Debian of its own, by chroot, so that what it forgets to install is
missed. The service is then started there with the image's own command, user and environment, and is asked
until it is ready; without a bucket or a broker it works on the embedded adapters. Needs root and debootstrap.
`--bind` shows a folder of this machine inside, for a local package index.

Sizes are of what the image adds to its base. Exit status 1 where a service does not become ready.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import httpx
import psutil

from benchmarks.dockerfile_roots import Stage, follow, make_base
from dam import routes

ROOT: Final = Path(__file__).parents[1]
NAMES: Final = ("bento", "gallery", "ingest", "orchestrator")
PROBES: Final = {
    "ingest": routes.READY,
    "orchestrator": routes.LIVE,
    "bento": routes.READY,
    "gallery": routes.READY,
}
"""The orchestrator is ready with a Bento only: that it is alive says that all of it was loaded."""
_HOST: Final = "127.0.0.1"
_READY_S: Final = 180.0
_MB: Final = 1_000_000


def measure(name: str, base: Path, binds: list[Path]) -> dict[str, Any]:
    """Follow one Dockerfile, start what it made, and weigh both."""
    with tempfile.TemporaryDirectory(dir=base.parent) as temporary:
        started = time.perf_counter()
        image = follow(ROOT / "fly" / name / "Dockerfile", base, Path(temporary), binds)
        built_s = time.perf_counter() - started
        size = weigh(image.root) - weigh(base)
        return {"size_mb": round(size / _MB), "build_s": round(built_s, 1), **start(name, image)}


def start(name: str, image: Stage) -> dict[str, Any]:
    """How long until it is ready, and what it holds then: all of its processes together."""
    with socket.create_server((_HOST, 0)) as probe:
        port = str(probe.getsockname()[1])
    url = f"http://{_HOST}:{port}{PROBES[name]}"
    replaced = {"0.0.0.0": _HOST, str(routes.BENTO_PORT): port}  # noqa: S104 - that it is not
    command = [replaced.get(word, word) for word in image.command]
    listening = {f"DAM_{name.upper()}_HOST": _HOST, f"DAM_{name.upper()}_PORT": port}
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            image.argv(command), env=image.settings() | listening, stdout=log, stderr=log
        )
        try:
            while not _answers(url):
                if process.poll() is not None or time.perf_counter() - started > _READY_S:
                    log.seek(0)
                    return {"ready": False, "said": log.read().decode(errors="replace")[-2000:]}
                time.sleep(0.05)
            ready_s = time.perf_counter() - started
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            resident = sum(one.memory_info().rss for one in family if "python" in one.name())
            return {"ready": True, "ready_s": round(ready_s, 2), "resident_mb": round(resident / _MB)}
        finally:
            process.terminate()
            process.wait(30)


def weigh(root: Path) -> int:
    """Bytes of all files, as `du` counts them."""
    printed = subprocess.run(
        ["du", "--summarize", "--block-size=1", "--one-file-system", str(root)],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    return int(printed.stdout.split()[0])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).is_success
    except httpx.TransportError:
        return False


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(NAMES), help="deployables; all of them by default")
    parser.add_argument("--bind", type=Path, action="append", default=[], help="a folder to show inside")
    arguments = parser.parse_args()
    images = {}
    with tempfile.TemporaryDirectory(prefix="dam-images-") as folder:
        base = make_base(Path(folder))
        for name in arguments.names:
            images[name] = measure(name, base, arguments.bind)
            print(f"{name}: {images[name]}", file=sys.stderr)
    print(json.dumps({"benchmark": "images", "images": images}))
    return 0 if all(image["ready"] for image in images.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
