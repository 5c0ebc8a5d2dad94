"""`dam …` as a process of its own, as an operator starts it."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dam.maintenance.settings import MaintenanceSettings

START_S = 30.0
QUICK = {
    "DAM_LEASE_S": "3",
    "DAM_POLL_S": "0.1",
    "DAM_IDLE_POLL_S": "0.1",
    "DAM_SNAPSHOT_INTERVAL_S": "1",
}


class Maintainer:
    """One `dam maintain`; its log lines are its output."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dam.cli.main", "maintain"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def lines(self) -> list[dict[str, Any]]:
        """Every log line so far."""
        whole = self.log.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def events(self) -> list[str]:
        """Their names."""
        return [line["event"] for line in self.lines()]

    def wait_for(self, event: str, count: int = 1) -> None:
        """Return when it has logged `event` so often."""
        wait_until(lambda: self.events().count(event) >= count, f"{event} in {self.log.read_text()}")

    def stop(self, signal_number: int) -> int:
        """Send a signal; its exit status."""
        self.process.send_signal(signal_number)
        return self.process.wait(START_S)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll a condition; fail with `what` when it takes too long."""
    deadline = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"This did not happen in {START_S:.0f} s: {what}")
        time.sleep(0.02)


def environment_of(settings: MaintenanceSettings, **more: str) -> dict[str, str]:
    """The variables that make a command use these settings' bucket and queue."""
    key_id, secret = settings.store_access_key_id, settings.store_secret_access_key
    variables = {
        "DAM_DATA_DIR": str(settings.data_dir),
        "DAM_STORE_URL": settings.store_url,
        "DAM_STORE_ENDPOINT_URL": settings.store_endpoint_url,
        "DAM_STORE_REGION": settings.store_region,
        "DAM_STORE_ACCESS_KEY_ID": key_id.get_secret_value() if key_id else None,
        "DAM_STORE_SECRET_ACCESS_KEY": secret.get_secret_value() if secret else None,
        "DAM_QUEUE_URL": settings.queue_url.get_secret_value(),
        **more,
    }
    return {**os.environ, **{name: value for name, value in variables.items() if value}}


@contextlib.contextmanager
def maintaining(settings: MaintenanceSettings, log: Path, **more: str) -> Iterator[Maintainer]:
    """Run one; it is killed at the end, if it still runs."""
    maintainer = Maintainer(environment_of(settings, **{**QUICK, **more}), log)
    try:
        yield maintainer
    finally:
        maintainer.process.kill()
        maintainer.process.wait()


def run_dam(settings: MaintenanceSettings, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "dam.cli.main", *arguments],
        env=environment_of(settings, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
