"""`fly/deploy.sh`, dry and with a `flyctl` that only writes down what it is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT: Final = Path(__file__).parents[2] / "fly" / "deploy.sh"
EXAMPLE: Final = SCRIPT.with_name("env.example")
SECRETS: Final = {
    "DAM_STORE_ACCESS_KEY_ID": "the-key-id",
    "DAM_STORE_SECRET_ACCESS_KEY": "the-store-secret",
    "DAM_QUEUE_URL": "amqps://someone:the-queue-secret@host/vhost",
    "DAM_BENTO_TOKEN": "the-bento-token",
    "DAM_BENTO_TOKENS": "the-bento-hash",
}
FLYCTL: Final = """#!/bin/sh
printf '%s\\n' "$*" >> "$RECORD"
case "$1" in
    status) exit 1 ;;
    secrets) sed "s/^/   < /" >> "$RECORD" ;;
esac
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A filled-in `.env`, and a `flyctl` that records."""
    lines = []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        name, is_set, _ = line.partition("=")
        lines.append(f"{name}='{SECRETS[name]}'" if is_set and name in SECRETS else line)
    (tmp_path / "env").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "flyctl").write_text(FLYCTL, encoding="utf-8")
    (tmp_path / "flyctl").chmod(0o755)
    return tmp_path


def deploy(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "DAM_DEPLOY_ENV": str(folder / "env"),
        "RECORD": str(folder / "record"),
    }
    return subprocess.run(
        [str(SCRIPT), *arguments], env=environment, capture_output=True, text=True, check=False
    )


def test_a_dry_run_tells_everything_and_does_nothing(folder: Path) -> None:
    """Each app's creation, secrets by name, and deploy; no value of a secret."""
    done = deploy(folder, ["--dry-run"])
    assert done.returncode == 0, done.stderr
    assert not (folder / "record").exists()
    for app in ("bento", "ingest", "orchestrator", "gallery"):
        assert f"flyctl apps create dam-{app}" in done.stdout
        assert f"--config fly/{app}/fly.toml --app dam-{app}" in done.stdout
    assert not [value for value in SECRETS.values() if value in done.stdout + done.stderr]


def test_secrets_go_through_standard_input_alone(folder: Path) -> None:
    """Arguments can be read by everyone on the machine."""
    done = deploy(folder, [])
    assert done.returncode == 0, done.stderr
    lines = (folder / "record").read_text(encoding="utf-8").splitlines()
    said = [line for line in lines if not line.startswith("   < ")]
    assert not [line for line in said if any(value in line for value in SECRETS.values())]
    assert f"   < DAM_QUEUE_URL={SECRETS['DAM_QUEUE_URL']}" in lines
    assert "the-store-secret" not in done.stdout + done.stderr
    bento = lines[lines.index("secrets import --stage --app dam-bento") + 1 :]
    assert bento[0] == f"   < DAM_BENTO_TOKENS={SECRETS['DAM_BENTO_TOKENS']}"


def test_only_the_gallery_gets_a_public_address(folder: Path) -> None:
    """The Bento and ingest are reached by the others alone."""
    deploy(folder, [])
    lines = (folder / "record").read_text(encoding="utf-8").splitlines()
    deploys = {line.split("--app ")[1].split()[0]: line for line in lines if line.startswith("deploy ")}
    assert list(deploys) == ["dam-bento", "dam-ingest", "dam-orchestrator", "dam-gallery"]
    private = [app for app, line in deploys.items() if "--flycast --no-public-ips" in line]
    assert private == ["dam-bento", "dam-ingest"]
    assert "DAM_INGEST_URL=http://dam-ingest.flycast" in deploys["dam-gallery"]
    assert "DAM_BENTO_URL=http://dam-bento.flycast" in deploys["dam-gallery"]
    assert "DAM_BENTO_URL=http://dam-bento.flycast" in deploys["dam-orchestrator"]


def test_what_is_missing_is_named(folder: Path) -> None:
    """The variable, the file, and what belongs there; nothing was begun."""
    text = (folder / "env").read_text(encoding="utf-8")
    (folder / "env").write_text(text.replace("DAM_STORE_URL=s3://my-bucket", "DAM_STORE_URL="))
    done = deploy(folder, [])
    assert done.returncode == 2
    assert "DAM_STORE_URL is not set" in done.stderr
    assert not (folder / "record").exists()
    assert "is none of the apps" in deploy(folder, ["galery"]).stderr
