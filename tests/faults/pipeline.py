"""The whole pipeline as processes, a client that uploads to it, and the count of what became of its uploads.

Two orchestrators, ingest, gallery and maintenance, a real Bento, and a bad wire before Bento and bucket. The
services' intervals are shortened, so that what mends itself in minutes does so in seconds; nothing else is.
"""

from __future__ import annotations

import asyncio
import io
import os
import random
import secrets
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from PIL import Image

from dam.uploads import upload_files
from tests.faults import outside
from tests.faults.services import Service
from tests.maintenance.processes import QUICK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.faults.outside import Bucket, Count
    from tests.faults.wires import Wire

SETTLE_S: Final = 240.0
_PATIENT_TRIES: Final = 60
_CHUNK: Final = 5
_SHORTENED: Final = {
    **QUICK,
    "DAM_BENTO_TIMEOUT_S": "10",
    "DAM_PREFETCH": "8",
    "DAM_RECONCILE_INTERVAL_S": "5",
    "DAM_RECONCILE_RETRY_S": "5",
    "DAM_RECONCILE_MIN_AGE_S": "20",
    "DAM_COMPACTION_INTERVAL_S": "2",
    "DAM_COMPACTION_MIN_FILES": "8",
    "DAM_CHECKPOINT_EVERY": "8",
    "DAM_VACUUM_FIRST_S": "2",
    "DAM_VACUUM_INTERVAL_S": "4",
}
_MODULES: Final = {
    "ingest": ["ingest_api"],
    "orchestrator-1": ["orchestrator"],
    "orchestrator-2": ["orchestrator"],
    "gallery": ["gallery_api"],
    "maintain": ["dam.cli.main", "maintain"],
}
ORCHESTRATORS: Final = ("orchestrator-1", "orchestrator-2")


@dataclass
class Pipeline:
    """What runs, and where."""

    folder: Path
    environment: dict[str, str]
    bucket: Bucket
    bento: Service
    bento_wire: Wire | None = None
    store_wire: Wire | None = None
    services: dict[str, Service] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {**_SHORTENED, "DAM_DATA_DIR": str(self.folder), **self.environment}
        for name, module in _MODULES.items():
            self.services[name] = Service(name, module, self.environment, self.folder)
        self.services["bento"] = self.bento

    def start(self) -> None:
        """Start what does not run, and wait until all are ready."""
        for service in self.services.values():
            service.start()
        for service in self.services.values():
            service.wait_until_up()

    def stop(self) -> None:
        """All but the Bento, which others may use too."""
        for name, service in self.services.items():
            if name != "bento":
                service.stop()

    @contextmanager
    def uploading(self, pictures: int, per_second: float) -> Iterator[Uploads]:
        """Upload that many meanwhile, at most so many a second; in the end all have been answered."""
        uploads = Uploads(self.services["ingest"].url, self.folder / secrets.token_hex(4))
        thread = threading.Thread(target=uploads.send, args=(pictures, per_second))
        thread.start()
        try:
            yield uploads
        finally:
            thread.join()
        assert len(uploads.accepted) == pictures, uploads.refused

    def settle(self, uploads: Uploads, within_s: float = SETTLE_S) -> Count:
        """Wait until every accepted upload has ended, and count; in the end count what there is."""

        def all_ended() -> bool:
            current = outside.current_of(outside.read_rows(self.bucket))
            return all(outside.has_ended(current.get(asset_id)) for asset_id in uploads.accepted)

        wait_for(all_ended, within_s)
        return outside.count(self.bucket, uploads.accepted)


@dataclass
class Uploads:
    """A client that tries again for as long as it takes, and remembers what was answered 202."""

    url: str
    folder: Path
    accepted: dict[str, bytes] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def send(self, pictures: int, per_second: float) -> None:
        """Upload `pictures` different pictures at that pace."""
        self.folder.mkdir()
        started = time.monotonic()
        for first in range(0, pictures, _CHUNK):
            paths = [self._draw(number) for number in range(first, min(first + _CHUNK, pictures))]
            for result in asyncio.run(upload_files(self.url, paths, tries=_PATIENT_TRIES)):
                if result.is_there and result.asset_id:
                    self.accepted[result.asset_id] = result.path.read_bytes()
                else:
                    self.refused.append(f"{result.path.name}: {result.reason}")
            time.sleep(max(0.0, started + (first + _CHUNK) / per_second - time.monotonic()))

    def _draw(self, number: int) -> Path:
        """A picture that nobody has sent before."""
        picture = Image.frombytes("RGB", (16, 12), os.urandom(16 * 12 * 3)).resize((320, 240))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG")
        path = self.folder / f"{number}.jpg"
        path.write_bytes(buffer.getvalue())
        return path


@dataclass(frozen=True)
class Form:
    """How much is done: the short form or the full one."""

    pictures: int
    times: int
    """How often a harm is repeated."""
    minutes: float

    def per_second(self, harm_s: float) -> float:
        """The pace at which the uploads last about as long as the harm."""
        return self.pictures / harm_s


def wait_for(condition: Callable[[], bool], within_s: float) -> bool:
    """Poll; whether it came true in time."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.5)
    return False


def pause(least_s: float, most_s: float) -> None:
    """Until a random moment."""
    time.sleep(random.uniform(least_s, most_s))  # noqa: S311 - a moment


def settings_of(environment: Mapping[str, str]) -> dict[str, str]:
    """The same as fields of a settings class."""
    return {name.removeprefix("DAM_").lower(): value for name, value in environment.items()}
