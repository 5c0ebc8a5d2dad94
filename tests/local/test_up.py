"""`dam up` with services of ours, until Ctrl-C, a signal, or the death of one."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from tests.faults.services import free_port
from tests.local.commands import running

if TYPE_CHECKING:
    from pathlib import Path

SERVING = "Ctrl-C stops everything"


def test_chosen_services_run_until_ctrl_c(tmp_path: Path) -> None:
    """Only these; their lines are shown in human form and are in their files; then no process is left."""
    data = tmp_path / "data"
    with running(data, "--only", "maintenance,ingest") as up:
        up.wait_for(SERVING)
        up.wait_for("maintenance.started")
        below = up.children()
        [upload] = re.findall(r"(http://\S+)/upload", up.output())
        assert httpx.get(f"{upload}/readyz").is_success
        assert up.stop() == 0
    assert psutil.wait_procs(below, timeout=10)[1] == []
    output = up.output()
    assert re.search(
        r"^ingest      \| \d\d:\d\d:\d\d info    connection.opened name=queue$", output, re.MULTILINE
    )
    assert "maintenance.stopped" in output
    assert "bento" not in output
    kept = [json.loads(line) for line in (data / "logs" / "ingest.log").read_text().splitlines()]
    assert "connection.opened" in [line["event"] for line in kept]
    assert not (data / "addresses.json").exists()


def test_a_service_that_dies_ends_all(tmp_path: Path) -> None:
    """Status 1; the last that is said is which one, and its last lines; nothing runs on."""
    with running(tmp_path / "data", "--except", "bento,orchestrator,gallery") as up:
        up.wait_for(SERVING)
        up.wait_for("maintenance.started")
        below = up.children()
        up.find("ingest_api").kill()
        assert up.process.wait(60) == 1
    assert psutil.wait_procs(below, timeout=10)[1] == []
    _, told, last = up.output().partition("The service 'ingest' was ended by SIGKILL. Its last lines:")
    assert told
    assert "ingest      | " in last
    assert "data/logs/ingest.log" in last
    assert "maintenance.stopped" in up.output()


def test_with_keep_going_it_is_started_again(tmp_path: Path) -> None:
    """On the same address; SIGTERM ends it in good order."""
    with running(tmp_path / "data", "--only", "ingest", "--keep-going") as up:
        up.wait_for(SERVING)
        first = up.find("ingest_api")
        first.kill()
        up.wait_for("The service 'ingest' was ended by SIGKILL. It is started again in 1 s.")
        up.wait_for("connection.opened name=queue", 2)
        assert up.find("ingest_api").pid != first.pid
        [upload] = re.findall(r"(http://\S+)/upload", up.output())
        assert httpx.get(f"{upload}/readyz").is_success
        assert up.stop(signal.SIGTERM) == 0


def test_one_at_a_time_in_a_folder(tmp_path: Path) -> None:
    """A second one, or a demo, is refused with a sentence; the first goes on."""
    data = tmp_path / "data"
    with running(data, "--only", "ingest") as up:
        up.wait_for(SERVING)
        for command in ("up", "demo"):
            line = (sys.executable, "-m", "dam.cli.main", command, "--data", str(data))
            done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 1
            assert "is running on" in done.stderr
            assert "Traceback" not in done.stderr
        assert up.stop() == 0


def test_a_port_that_is_asked_for_is_taken_or_refused(tmp_path: Path) -> None:
    """One that somebody listens on is a sentence, before anything starts."""
    port = str(free_port())
    arguments = ("--only", "ingest")
    other = socket.create_server(("127.0.0.1", int(port)))
    with other, running(tmp_path / "data", *arguments, DAM_INGEST_PORT=port) as up:
        assert up.process.wait(60) == 1
    assert f"127.0.0.1:{port}" in up.output()
    assert "DAM_INGEST_PORT" in up.output()
    with running(tmp_path / "data", *arguments, DAM_INGEST_PORT=port) as up:
        up.wait_for(f"http://127.0.0.1:{port}/upload")
        assert up.stop() == 0


def test_a_bento_elsewhere_is_not_started_here_by_mistake(tmp_path: Path) -> None:
    """Its URL names another machine: whoever means that leaves it out."""
    with running(tmp_path / "data", DAM_BENTO_URL="https://bento.example") as up:
        assert up.process.wait(60) == 1
    assert "--except bento" in up.output()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--only", "ingest,database"), "There is no service database"),
        (("--except", "bento,ingest,orchestrator,gallery,maintenance"), "No service is left"),
    ],
)
def test_names_that_are_none(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    """Status 2, and what there is."""
    with running(tmp_path / "data", *arguments) as up:
        assert up.process.wait(60) == 2
    assert told in up.output()
