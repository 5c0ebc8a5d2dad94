"""Where the services of one machine answer: which ports they get, and a note of it for `dam status`.

The note lies in the data folder while the services run. It helps whoever looks for them; nothing depends on
it, so that one which cannot be read is no note.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from dam import routes
from dam.errors import DamError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

LOOPBACK: Final = "127.0.0.1"
USUAL_PORTS: Final = {
    "bento": routes.BENTO_PORT,
    "ingest": routes.INGEST_PORT,
    "orchestrator": routes.ORCHESTRATOR_PORT,
    "gallery": routes.GALLERY_PORT,
}
_MOST_PORTS: Final = 100
_NOTE: Final = "addresses.json"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Base URLs of the services."""

    bento: str
    ingest: str
    gallery: str
    orchestrator: str


class PortPicker:
    """Gives out ports that nothing listens on; those given out are held until it is left."""

    def __init__(self, held: ExitStack) -> None:
        self._held = held

    def pick(self, usual: int, host: str = LOOPBACK) -> int:
        """The usual one, or the next in steps of ten where something else listens there.

        Never one that the system would choose: those are also lent to whoever connects to something.
        """
        for port in range(usual, usual + 10 * _MOST_PORTS, 10):
            if self.take(host, port):
                return port
        raise DamError(f"No free port on {host} among {usual}, {usual + 10}, {usual + 20}, …")

    def take(self, host: str, port: int) -> bool:
        """Hold this one; whether it was free."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        probe = self._held.enter_context(socket.socket(family))
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind((host, port))
            return True
        return False


def pick_addresses() -> Addresses:
    """Usual ports, or others near them."""
    with ExitStack() as held:
        picker = PortPicker(held)
        return Addresses(
            **{name: f"http://{LOOPBACK}:{picker.pick(port)}" for name, port in USUAL_PORTS.items()}
        )


def port_of(url: str) -> int:
    """The port in a base URL, or its scheme's own."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)


@contextmanager
def noted(data_dir: Path, addresses: Addresses, names: Collection[str]) -> Iterator[None]:
    """Leave a note of these services' addresses while they run."""
    note = data_dir / _NOTE
    urls = {name: url for name, url in asdict(addresses).items() if name in names}
    draft = note.with_suffix(".part")
    draft.write_text(json.dumps({"pid": os.getpid(), **urls}, indent=2) + "\n", encoding="utf-8")
    draft.replace(note)
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


def read_note(data_dir: Path) -> dict[str, str]:
    """The URLs that a running `dam up` or `dam demo` has noted, by service; none where none runs."""
    try:
        note = json.loads((data_dir / _NOTE).read_text(encoding="utf-8"))
        is_running = _is_running(int(note["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {name: str(note[name]) for name in USUAL_PORTS if name in note} if is_running else {}


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, as somebody else
        return True
    return True
