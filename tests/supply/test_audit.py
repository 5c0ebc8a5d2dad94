"""`make audit` against advisory services of our own: what they know is told, and silence is no good news."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

import requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
PYTHON_HOLE: Final = {
    "id": "PYSEC-2026-1",
    "summary": "Reads too much.",
    "affected": [
        {
            "package": {"name": "pillow", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}
NPM_HOLE: Final = {
    "id": 1,
    "url": "https://example.org/1",
    "title": "Reads too much.",
    "severity": "high",
    "vulnerable_versions": "<99.0.0",
}


class Services(BaseHTTPRequestHandler):
    """OSV at /osv, npm's bulk advisories anywhere else; `holes` says whether there are any."""

    holes = False

    def do_POST(self) -> None:
        """One package at /osv, all of them at npm's."""
        body = self.rfile.read(int(self.headers["content-length"]))
        answer: dict[str, Any] = {}
        if self.path == "/osv":
            if self.holes and json.loads(body)["package"]["name"] == "pillow":
                answer = {"vulns": [PYTHON_HOLE]}
        elif self.holes:
            answer = {"svelte": [NPM_HOLE]}
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


@pytest.fixture(params=[False, True])
def holes(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def url(*, holes: bool) -> Iterator[str]:
    handler = type("Asked", (Services,), {"holes": holes})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """A few packages of ours: each is a request."""
    entries = requirements.read_entries((ROOT / "requirements.lock").read_text())
    path = tmp_path / "few.lock"
    path.write_text("".join(entries[name] for name in ("idna", "pillow", "anyio")))
    return path


def audit(url: str, lock: Path) -> subprocess.CompletedProcess[str]:
    asked = ["--advisories", f"{url}/osv", "--registry", url, "--lock", str(lock)]
    command = [sys.executable, "audit.py", *asked]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_what_the_services_know_is_told(url: str, lock: Path, *, holes: bool) -> None:
    """Package, version, and where it is mended; without a hole the status is 0."""
    done = audit(url, lock)
    assert done.stderr == ""
    assert done.returncode == (1 if holes else 0)
    if holes:
        assert "PYSEC-2026-1, mended in 99.1" in done.stdout
        assert "svelte" in done.stdout
    else:
        assert "Python: 0 known holes in 3 packages" in done.stdout
        assert "npm: 0 known holes in " in done.stdout


def test_services_that_do_not_answer_fail_it(lock: Path) -> None:
    """It says so of each, and does not pass."""
    done = audit("http://127.0.0.1:9", lock)
    assert done.returncode == 2
    assert done.stderr.count("NOT AUDITED") == 2
    assert "known holes" not in done.stdout
