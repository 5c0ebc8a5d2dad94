"""`bentoml build` from `bentofile.yaml`: what is in the Bento, and that it says what the project says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.bentos.serving import ROOT, environment_of

if TYPE_CHECKING:
    from typing import Any


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("build")
    command = [sys.executable, "-m", "bentoml", "build", "--output", "tag"]
    # Offline: no proxy leads anywhere, so that a look at a registry would fail the build.
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        command, cwd=ROOT, env=environment_of(folder, nowhere), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [bento] = (folder / "bentoml" / "bentos" / "dam-bento").glob("*/bento.yaml")
    return bento.parent


def test_bento_holds_our_packages_and_the_demo_models(built: Path) -> None:
    """The service, `dam` and the demo set travel in it; other services, tests and leftovers do not."""
    source = built / "src"
    weights = [path.relative_to(ROOT) for path in (ROOT / "bentos/demo_models").rglob("*.safetensors")]
    assert len(weights) == 2
    for path in (Path("bentos/service.py"), Path("dam/pictures/decoding.py"), *weights):
        assert (source / path).read_bytes() == (ROOT / path).read_bytes()
    assert {path.name for path in source.iterdir()} == {"bentos", "dam", "bentofile.yaml", "LICENSE"}
    assert not list(source.rglob("__pycache__"))


def test_bento_names_its_service_and_packages(built: Path) -> None:
    """The Bento starts our service, and installs what `bentofile.yaml` lists."""
    description: dict[str, Any] = yaml.safe_load((built / "bento.yaml").read_text())
    assert description["service"] == "bentos.service:DamBento"
    assert description["entry_service"] == "dam-bento"
    installed = (built / "env/python/requirements.txt").read_text().splitlines()
    assert set(listed_packages()) <= set(installed)


def test_packages_are_those_of_the_project() -> None:
    """`bentofile.yaml` repeats ranges of `pyproject.toml` and never has its own."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = set(project["dependencies"])
    for extra in ("bento", "pictures", "http"):
        known |= set(project["optional-dependencies"][extra])
    assert set(listed_packages()) <= known


def listed_packages() -> list[str]:
    """The requirements in `bentofile.yaml`."""
    listed: list[str] = yaml.safe_load((ROOT / "bentofile.yaml").read_text())["python"]["packages"]
    return listed
