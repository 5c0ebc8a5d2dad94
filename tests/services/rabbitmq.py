"""A private RabbitMQ node in a folder of its own, on 127.0.0.1, with its own epmd and cookie.

Tests ask for the `rabbitmq` fixture and take a vhost each; benchmarks use `RabbitMq` as a context manager;
`python -m tests.services.rabbitmq` runs one until Ctrl-C and prints the setting that reaches it.
Must never touch a node or an epmd that it did not start.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import pytest

from tests.services.freezing import freeze

if TYPE_CHECKING:
    from collections.abc import Iterator

# Debian's wrappers in /usr/sbin insist on one user and one home; the scripts themselves do not.
_SCRIPTS: Final = Path("/usr/lib/rabbitmq/bin")
_START_S: Final = 90.0
_VHOSTS_AT_ONCE: Final = 12
_MEMORY_LIMIT: Final = "0.4"


class RabbitMq:
    """One broker. What is durable outlives `kill` and `restart`."""

    def __init__(self) -> None:
        self._root = Path(tempfile.mkdtemp(prefix="rabbitmq-"))
        self._port, self._distribution_port, self._epmd_port = _free_ports(3)
        # The name is unique too, so that not even a shared epmd could confuse two nodes.
        self._node = f"dam{self._port}@localhost"
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        # Daemons die with the thread that started them (see `_spawn`), so one thread starts them all.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="rabbitmq")
        self._vhosts: list[str] = []

    @property
    def url(self) -> str:
        """The default vhost."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the node and wait until it takes connections (about eight seconds)."""
        (self._root / "enabled_plugins").write_text("[].")
        (self._root / "rabbitmq.conf").write_text("disk_free_limit.absolute = 50MB\n")
        self._spawn("epmd", "epmd", "-address", "127.0.0.1", "-port", str(self._epmd_port))
        self.restart()

    def stop(self) -> None:
        """End node and epmd, and remove the folder."""
        for name in ("broker", "epmd"):
            self._kill(name)
        self._spawner.shutdown()
        shutil.rmtree(self._root, ignore_errors=True)

    def kill(self) -> None:
        """`kill -9` the broker: connections break, durable messages stay."""
        self._kill("broker")

    def restart(self) -> None:
        """Start the broker after `kill`, and wait until it takes connections."""
        self._spawn("broker", str(_SCRIPTS / "rabbitmq-server"))
        self._wait()

    def stop_app(self) -> None:
        """Stop taking connections in good order, as for an upgrade."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        """Undo `stop_app`."""
        self.ctl("start_app")
        self._wait()

    def pause(self) -> None:
        """Freeze the broker: it holds its connections and never answers."""
        freeze(self._daemons["broker"])

    def resume(self) -> None:
        """Undo `pause`."""
        self._daemons["broker"].send_signal(signal.SIGCONT)

    def raise_memory_alarm(self) -> None:
        """Have the broker think it is out of memory: it stops reading from publishers."""
        self.ctl("set_vm_memory_high_watermark", "0.0001")

    def clear_memory_alarm(self) -> None:
        """Undo `raise_memory_alarm`."""
        self.ctl("set_vm_memory_high_watermark", _MEMORY_LIMIT)

    def new_vhost(self) -> str:
        """The URL of a fresh, empty vhost."""
        if not self._vhosts:
            self._vhosts = [f"test-{secrets.token_hex(4)}" for _ in range(_VHOSTS_AT_ONCE)]
            # One call for many: the command line tool takes a second or two to start.
            names = ",".join(f'<<"{name}">>' for name in self._vhosts)
            self.ctl(
                "eval",
                f'[begin rabbit_vhost:add(V, <<"tests">>), rabbit_auth_backend_internal:set_permissions('
                f'<<"guest">>, V, <<".*">>, <<".*">>, <<".*">>, <<"tests">>) end || V <- [{names}]].',
            )
        return self.url + self._vhosts.pop()

    def ctl(self, *line: str) -> str:
        """Run `rabbitmqctl` on this node and return what it prints."""
        done = subprocess.run(
            (str(_SCRIPTS / "rabbitmqctl"), "-q", "-n", self._node, *line),
            capture_output=True,
            timeout=_START_S,
            env=self._environment(),
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
            raise RuntimeError(f"rabbitmqctl {line[0]} failed: {said}{self._logs()}")
        return done.stdout.decode()

    def _spawn(self, name: str, *daemon: str) -> None:
        """Start one daemon in the foreground, bound to die with this process even where it is killed."""
        line = ("setpriv", "--pdeathsig", "KILL", *daemon)
        with (self._root / f"{name}.out").open("ab") as out:
            self._daemons[name] = self._spawner.submit(
                subprocess.Popen,
                line,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self._environment(),
            ).result()

    def _kill(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon:
            daemon.kill()
            daemon.wait()

    def _environment(self) -> dict[str, str]:
        """A node of its own: name, ports, folders, cookie (it lies in HOME), and nothing from /etc."""
        settings = {
            "NODENAME": self._node,
            "NODE_IP_ADDRESS": "127.0.0.1",
            "NODE_PORT": str(self._port),
            "DIST_PORT": str(self._distribution_port),
            "MNESIA_BASE": str(self._root / "mnesia"),
            "LOG_BASE": str(self._root / "log"),
            "PID_FILE": str(self._root / "pid"),
            "ENABLED_PLUGINS_FILE": str(self._root / "enabled_plugins"),
            "CONFIG_FILE": str(self._root / "rabbitmq.conf"),
            "CONF_ENV_FILE": "/dev/null",
            # Idle schedulers that spin take the processor from what is tested.
            "SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        }
        return {
            "HOME": str(self._root),
            "LANG": "C.UTF-8",
            "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin",
            "ERL_EPMD_PORT": str(self._epmd_port),
            "RUNNING_UNDER_SYSTEMD": "1",  # the start script then becomes the broker, so that we hold its pid
            **{f"RABBITMQ_{name}": value for name, value in settings.items()},
        }

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if self._daemons["broker"].poll() is not None:
                raise RuntimeError(f"RabbitMQ ended at its start.{self._logs()}")
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection,
            ):
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                if connection.recv(1):  # Connection.Start: it is more than a listening socket
                    return
            time.sleep(0.1)
        raise RuntimeError(f"RabbitMQ does not answer on port {self._port}.{self._logs()}")

    def _logs(self) -> str:
        files = [*self._root.glob("*.out"), *(self._root / "log").glob("*.log")]
        return "".join(f"\n--- {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in taken]


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMq]:
    """One broker for all tests; each takes a vhost of its own."""
    with RabbitMq() as broker:
        yield broker


def main() -> None:
    """Run one until Ctrl-C (or SIGTERM)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), RabbitMq() as broker:
        print(f"export DAM_QUEUE_URL={broker.url}", flush=True)  # noqa: T201 - its output is for a shell
        signal.pause()


if __name__ == "__main__":
    main()
