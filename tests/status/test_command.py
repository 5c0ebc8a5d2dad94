"""`dam status` as a person and as a script see it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dam.catalogue import Catalogue
from dam.maintenance.lease import Lease
from dam.queue.opening import open_queue
from dam.search.state import LAYOUT, IndexState, write_state
from dam.store.opening import open_store
from tests.local.commands import running
from tests.status.standing import NOWHERE, URLS, settings_of, standing

if TYPE_CHECKING:
    from pathlib import Path

LINE = (sys.executable, "-m", "dam.cli.main", "status")
PARTS = ("bento", "ingest", "orchestrator", "gallery", "bucket", "queue", "catalogue", "index", "maintenance")


def environment(folder: Path, **variables: str) -> dict[str, str]:
    nowhere = {f"DAM_{name.upper()}": NOWHERE for name in URLS}
    return {**os.environ, "DAM_DATA_DIR": str(folder), "COLUMNS": "120", **nowhere, **variables}


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, its services nowhere unless they are named."""
    given = environment(folder, **variables)
    return subprocess.run(
        (*LINE, *arguments), env=given, capture_output=True, text=True, timeout=60, check=False
    )


def read_on(terminal: int) -> bytes:
    """All that comes until nobody holds the other side, which Linux tells by an error."""
    output = b""
    with contextlib.suppress(OSError):
        while data := os.read(terminal, 65536):
            output += data
    return output


async def fill(folder: Path) -> None:
    """Everything that the services would have made, and a lease that is held for a while."""
    settings = settings_of(folder)
    store, queue = await open_store(settings), await open_queue(settings)
    catalogue = await Catalogue.open(settings)
    known = {"layout": LAYOUT, "table": "t", "catalogue": "c", "model": None, "dim": 0, "rows": 0}
    state = {**known, "version": await catalogue.version(), "updated_at": datetime.now(UTC)}
    await write_state(store, IndexState.model_validate(state), None)
    await Lease(store, 600).acquire()
    for opened in (catalogue, queue, store):
        await opened.close()


async def test_all_is_well(tmp_path: Path) -> None:
    """Status 0; a row for each part, all of them ready."""
    await fill(tmp_path)
    async with standing() as url:
        variables = {f"DAM_{name.upper()}": url for name in URLS}
        done = await asyncio.to_thread(run, tmp_path, "--once", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [[name, "ready"] for name in PARTS]


def test_something_is_down(tmp_path: Path) -> None:
    """Status 1, one object, every part in it; nothing on stderr; no password."""
    done = run(tmp_path, "--json", DAM_QUEUE_URL="amqp://me:hunter2@127.0.0.1:9/jobs")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["well"] is False
    assert {*report["services"], *report} >= set(PARTS)
    assert report["queue"]["state"] == "down"
    assert "127.0.0.1:9" in report["queue"]["told"]
    assert done.stderr == ""
    assert "hunter2" not in done.stdout


def test_settings_that_are_wrong(tmp_path: Path) -> None:
    """Status 2, the variable, and not its value."""
    done = run(tmp_path, "--once", DAM_BENTO_URL="ftp://me:hunter2@host")
    assert done.returncode == 2
    assert "DAM_BENTO_URL" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr


def test_into_a_pipe_it_is_shown_once(tmp_path: Path) -> None:
    """A live table would be a heap of them."""
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stdout.count("maintenance") == 1


def test_on_a_terminal_it_lives_until_ctrl_c(tmp_path: Path) -> None:
    """Drawn again and again; status 0, and the cursor is back."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        LINE, env=environment(tmp_path, TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        output, deadline = b"", time.monotonic() + 60
        while output.count(b"maintenance") < 4:
            assert time.monotonic() < deadline, output
            output += os.read(ours, 65536)
        process.send_signal(signal.SIGINT)
        output += read_on(ours)
        assert process.wait(30) == 0
    os.close(ours)
    assert output.rstrip().endswith(b"\x1b[?25h")
    assert b"Traceback" not in output


def test_services_of_dam_up_are_found_where_they_are(tmp_path: Path) -> None:
    """Whatever ports they got; one that waits for the Bento says so."""
    data = tmp_path / "data"
    with running(data, "--only", "ingest,orchestrator", DAM_BENTO_URL=NOWHERE) as up:
        up.wait_for("connection.opened name=queue")
        up.wait_for("intake.waiting")
        given = {
            name: value
            for name, value in environment(data).items()
            if name != "DAM_DATA_DIR" and value != NOWHERE
        }
        line = (*LINE, "--json", "--data", str(data))
        done = subprocess.run(line, env=given, capture_output=True, text=True, timeout=60, check=False)
        assert up.stop() == 130
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["services"]["ingest"]["state"] == "ready"
    assert report["services"]["orchestrator"]["state"] == "not ready"
    assert "The Bento at" in report["services"]["orchestrator"]["reason"]
    assert report["queue"]["state"] == "ready"
    assert report["maintenance"]["state"] == "down"
