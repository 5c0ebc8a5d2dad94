"""The embedded store and queue on a disk that fills up, and under a clock that steps back."""

from __future__ import annotations

import json
import os
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.faults.outside import FolderBucket
from tests.faults.pipeline import ORCHESTRATORS, Pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.outside import Count
    from tests.faults.pipeline import Form
    from tests.faults.services import Service

_HARM_S: Final = 5.0
_ARRIVAL_S: Final = 2.0
"""So fast that work is in hand when the disk fills up."""
_DISK: Final = "128m"
_AS_ROOT: Final = () if os.geteuid() == 0 else ("sudo",)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """A file system of its own, in memory."""
    folder.mkdir()
    options = f"size={_DISK},uid={os.getuid()},mode=0700"
    subprocess.run([*_AS_ROOT, "mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run([*_AS_ROOT, "umount", "--lazy", str(folder)], check=True)


def _fill(folder: Path) -> Path:
    """Write until nothing more fits; the file that has to go to make room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            return ballast
    raise AssertionError("The disk never got full.")


@contextmanager
def _running(data: Path, bento: Service, **environment: str) -> Iterator[Pipeline]:
    """The services on the embedded adapters below `data`; their logs are on another disk."""
    urls = {
        "DAM_STORE_URL": (data / "bucket").as_uri(),
        "DAM_QUEUE_URL": f"sqlite:///{data / 'queue.sqlite'}",
        "DAM_BENTO_URL": bento.url,
        **environment,
    }
    logs = data.parent / "logs"
    logs.mkdir()
    pipeline = Pipeline(logs, urls, FolderBucket(data / "bucket"), bento)
    try:
        pipeline.start()
        yield pipeline
    finally:
        pipeline.stop()


def test_full_disk(tmp_path: Path, bento: Service, form: Form, expect: Callable[[Count], None]) -> None:
    """Not a byte fits below store and queue for a while; with room again, all goes on by itself."""
    with (
        _small_disk(tmp_path / "disk") as disk,
        _running(disk, bento) as pipeline,
    ):
        with pipeline.uploading(form.pictures, form.per_second(_ARRIVAL_S)) as uploads:
            time.sleep(1)
            ballast = _fill(disk)
            time.sleep(_HARM_S)
            ballast.unlink()
        expect(pipeline.settle(uploads))
    assert any("No space left" in service.log.read_text() for service in pipeline.services.values())


def test_clock_steps_back(
    tmp_path: Path, bento: Service, form: Form, expect: Callable[[Count], None]
) -> None:
    """Every service's clock is an hour back at one moment: what was queued or leased goes on."""
    [library] = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    clock = tmp_path / "clock"
    clock.write_text("+0\n")
    data = tmp_path / "data"
    data.mkdir()
    faked = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    with _running(data, bento, **faked) as pipeline:
        with pipeline.uploading(form.pictures, form.per_second(_HARM_S)) as uploads:
            time.sleep(_HARM_S / 2)
            clock.write_text("-1h\n")
        expect(pipeline.settle(uploads))
    for name in ORCHESTRATORS:
        last = json.loads(pipeline.services[name].log.read_text().splitlines()[-1])["timestamp"]
        assert datetime.now(UTC) - datetime.fromisoformat(last) > timedelta(minutes=59)
