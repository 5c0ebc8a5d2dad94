"""A private S3 server: Ceph's radosgw on a one-node cluster in a folder of its own, on 127.0.0.1.

Tests ask for the `radosgw` fixture or for `bucket`; benchmarks use `Radosgw` as a context manager;
`python -m tests.services.radosgw` runs one until Ctrl-C and prints the settings that reach it.
Must never touch a daemon that it did not start.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import botocore.session
import pytest
from botocore.config import Config

from tests.services.freezing import freeze

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONF: Final = """\
[global]
fsid = {fsid}
mon_host = v2:127.0.0.1:{mon_port}
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# Without it the gateway hangs where there are no keys.
ms_mon_client_mode = crc
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_pool_default_pg_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_data_avail_crit = 0
mon_data_avail_warn = 0
# The default of two seconds makes a start take twelve.
paxos_propose_interval = 0.05
osd_objectstore = {objectstore}
memstore_device_bytes = 8589934592
bluestore_block_size = 21474836480
osd_memory_target = 939524096
run_dir = {root}/run
admin_socket = {root}/run/$name.asok
pid_file = {root}/run/$name.pid
log_file = {root}/log/$name.log
crash_dir = {root}/crash
mon_data = {root}/mon
osd_data = {root}/osd
rgw_data = {root}/rgw
# Without it Nagle's algorithm and delayed acknowledgements make most answers take 40 ms.
rgw_frontends = beast endpoint=127.0.0.1:{port} tcp_nodelay=1
osd_client_watch_timeout = 2
rgw_enable_usage_log = false
rgw_run_sync_thread = false
"""

_START_S: Final = 60.0


class Radosgw:
    """One S3 server. `durable` keeps objects on disk (BlueStore), so that they outlive a kill of it all."""

    def __init__(self, *, durable: bool = False) -> None:
        self.access_key: Final = "damtest"
        self.secret_key: Final = secrets.token_hex(16)
        self._durable = durable
        self._port, self._mon_port = _free_ports(2)
        self.endpoint: Final = f"http://127.0.0.1:{self._port}"
        # Ceph's socket paths must stay short, whatever TMPDIR is.
        self._root = Path(tempfile.mkdtemp(prefix="rgw-", dir="/tmp"))
        self._daemons: dict[str, subprocess.Popen[bytes]] = {}
        # Daemons die with the thread that started them (see `_spawn`), so one thread starts them all.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="radosgw")

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
        """Make the cluster and wait until it answers (about two seconds, seven when durable)."""
        fsid, osd = str(uuid.uuid4()), str(uuid.uuid4())
        for name in ("run", "log", "crash", "mon", "osd", "rgw"):
            (self._root / name).mkdir()
        conf = _CONF.format(
            fsid=fsid,
            root=self._root,
            port=self._port,
            mon_port=self._mon_port,
            objectstore="bluestore" if self._durable else "memstore",
        )
        (self._root / "ceph.conf").write_text(conf)
        monmap = str(self._root / "monmap")
        address = f"v2:127.0.0.1:{self._mon_port}"
        self._command("monmaptool", "--create", "--fsid", fsid, "--addv", "a", address, monmap)
        self._command("ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap)
        self._spawn("mon")
        self._command("ceph", "osd", "new", osd)
        self._command("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._spawn("osd")
        self._command(
            *("radosgw-admin", "user", "create", "--uid", "dam", "--display-name", "dam"),
            *("--access-key", self.access_key, "--secret-key", self.secret_key),
        )
        self._spawn("radosgw")
        self._wait()

    def stop(self) -> None:
        """Stop the daemons, the gateway first, and remove the folder."""
        if "_client" in vars(self):
            self._client.close()
        for name in ("radosgw", "osd", "mon"):
            self._kill(name)
        self._spawner.shutdown()
        shutil.rmtree(self._root, ignore_errors=True)

    def kill(self, *, everything: bool = False) -> None:
        """`kill -9` the gateway: connections break, objects stay. With `everything`, the disks too."""
        if everything and not self._durable:
            raise ValueError("Only a durable server keeps its objects when all of it is killed.")
        for name in ("radosgw", "osd", "mon") if everything else ("radosgw",):
            self._kill(name)

    def restart(self) -> None:
        """Start again what `kill` ended and wait until it answers."""
        for name in ("mon", "osd", "radosgw"):
            if name not in self._daemons:
                self._spawn(name)
        self._wait()

    def pause(self) -> None:
        """Freeze the gateway: it takes connections and never answers."""
        freeze(self._daemons["radosgw"])

    def resume(self) -> None:
        """Undo `pause`."""
        self._daemons["radosgw"].send_signal(signal.SIGCONT)

    def create_bucket(self, name: str | None = None) -> str:
        """Make a bucket, by default with a fresh name, and return its name (three characters at least)."""
        bucket = name or f"test-{secrets.token_hex(6)}"
        self._client.create_bucket(Bucket=bucket)
        return bucket

    def create_reader(self, bucket: str) -> tuple[str, str]:
        """A user who may only list and read one bucket: access key id and secret."""
        name, secret = f"reader-{secrets.token_hex(4)}", secrets.token_hex(16)
        self._command(
            *("radosgw-admin", "user", "create", "--uid", name, "--display-name", name),
            *("--access-key", name, "--secret-key", secret),
        )
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam:::user/{name}"]},
            "Action": ["s3:ListBucket", "s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._client.put_bucket_policy(Bucket=bucket, Policy=policy)
        return name, secret

    @cached_property
    def _client(self) -> Any:
        """Made once: it takes a third of a second, and hundreds of tests want a bucket."""
        return botocore.session.Session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}),
        )

    def environment(self, bucket: str) -> dict[str, str]:
        """The `DAM_*` variables that make a service use this bucket."""
        return {
            "DAM_STORE_URL": f"s3://{bucket}",
            "DAM_STORE_ENDPOINT_URL": self.endpoint,
            "DAM_STORE_REGION": "us-east-1",
            "DAM_STORE_ACCESS_KEY_ID": self.access_key,
            "DAM_STORE_SECRET_ACCESS_KEY": self.secret_key,
        }

    def counters(self) -> dict[str, int]:
        """What the gateway has counted since its start: `req`, and `put_b` and `get_b` for bytes."""
        socket_file = self._root / "run" / "client.rgw.asok"
        done = subprocess.run(
            ("ceph", "--admin-daemon", str(socket_file), "perf", "dump", "rgw"),
            capture_output=True,
            timeout=_START_S,
            env=_environment(),
            check=True,
        )
        counted = json.loads(done.stdout)["rgw"]
        return {name: value for name, value in counted.items() if isinstance(value, int)}

    def _spawn(self, name: str) -> None:
        """Start one daemon in the foreground, bound to die with this process even where it is killed."""
        daemon = {
            "mon": ("ceph-mon", "-i", "a"),
            "osd": ("ceph-osd", "-i", "0"),
            "radosgw": ("radosgw", "-n", "client.rgw"),
        }[name]
        line = ("setpriv", "--pdeathsig", "KILL", *daemon, "-f", "-c", str(self._root / "ceph.conf"))
        with (self._root / "log" / f"{name}.out").open("ab") as out:
            self._daemons[name] = self._spawner.submit(
                subprocess.Popen, line, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=_environment()
            ).result()

    def _kill(self, name: str) -> None:
        daemon = self._daemons.pop(name, None)
        if daemon:
            daemon.kill()
            daemon.wait()

    def _command(self, *line: str) -> None:
        conf = () if line[0] == "monmaptool" else ("-c", str(self._root / "ceph.conf"))
        done = subprocess.run(
            (*line, *conf), capture_output=True, timeout=_START_S, env=_environment(), check=False
        )
        if done.returncode:
            raise RuntimeError(f"{line[0]} failed: {done.stderr.decode()[-2000:]}{self._logs()}")

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            ended = [name for name, daemon in self._daemons.items() if daemon.poll() is not None]
            if ended:
                raise RuntimeError(f"{', '.join(ended)} ended at its start.{self._logs()}")
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(self.endpoint, timeout=5).close()  # noqa: S310 - our own address
                return
            time.sleep(0.05)
        raise RuntimeError(f"radosgw does not answer at {self.endpoint}.{self._logs()}")

    def _logs(self) -> str:
        files = sorted((self._root / "log").glob("*"))
        return "".join(f"\n--- {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)


def _environment() -> dict[str, str]:
    """Debian keeps some of the daemons where an ordinary user's PATH does not look."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in taken]


@pytest.fixture(scope="session")
def radosgw() -> Iterator[Radosgw]:
    """One S3 server for all tests; each makes its own bucket."""
    with Radosgw() as server:
        yield server


def main() -> None:
    """Run one until Ctrl-C (or SIGTERM)."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), Radosgw(durable="--durable" in sys.argv) as server:
        for name, value in server.environment(server.create_bucket("dam")).items():
            print(f"export {name}={value}", flush=True)  # noqa: T201 - its output is for a shell
        signal.pause()


if __name__ == "__main__":
    main()
