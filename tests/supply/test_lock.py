"""The lock: of every package, with hashes, and enough for each extra by itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

import requirements

ROOT: Final = Path(__file__).parents[2]
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK: Final = (ROOT / "requirements.lock").read_text()
ENTRIES: Final = requirements.read_entries(LOCK)
EXTRAS: Final = sorted(PROJECT["project"]["optional-dependencies"])


def test_every_package_is_pinned_and_has_hashes() -> None:
    """Not one line would be installed unchecked."""
    assert len(ENTRIES) > 150
    for name, lines in ENTRIES.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", lines), name
    pinned = {requirements.normalise(name) for name in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    assert pinned == ENTRIES.keys()


def test_it_names_no_registry() -> None:
    """Where packages come from is the machine's affair."""
    assert "://" not in LOCK
    assert "--index" not in LOCK


@pytest.mark.parametrize("extra", EXTRAS)
def test_it_covers_every_extra(extra: str) -> None:
    """In a version that pyproject.toml allows: pip itself has nothing to complain of."""
    done = subprocess.run(
        [sys.executable, "requirements.py", extra], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert requirements.find_roots(PROJECT, [extra]) <= requirements.read_entries(done.stdout).keys()


@pytest.mark.parametrize(
    ("extra", "has", "lacks"),
    [
        ("ingest", "fastapi", "torch"),
        ("ingest", "setuptools", "pyarrow"),
        ("orchestrator", "deltalake", "lancedb"),
        ("gallery", "lancedb", "torch"),
        ("bento", "torch", "pytest"),
    ],
)
def test_an_extra_brings_only_what_it_needs(extra: str, has: str, lacks: str) -> None:
    """Whatever a package asks for comes with it, and nothing of its neighbours."""
    chosen = requirements.select(ENTRIES, requirements.find_roots(PROJECT, [extra]))
    names = requirements.read_entries(chosen).keys()
    assert has in names
    assert lacks not in names


def test_a_package_can_be_left_out_with_what_it_alone_needs() -> None:
    """As an image with another build of PyTorch wants it."""
    roots = requirements.find_roots(PROJECT, ["bento"])
    names = requirements.read_entries(requirements.select(ENTRIES, roots, ["torch", "torchvision"])).keys()
    assert "transformers" in names
    assert not {"torch", "torchvision", "triton", "sympy"} & names
    assert not [name for name in names if name.startswith("nvidia-c")]


def test_what_the_lock_lacks_is_told() -> None:
    """With what to do; nothing is installed from half a lock."""
    with pytest.raises(requirements.LockError, match="make lock"):
        requirements.select(ENTRIES, {"no-such-package"})
    with pytest.raises(requirements.LockError, match="no extra nonsense"):
        requirements.find_roots(PROJECT, ["nonsense"])


def test_the_lock_fits_what_is_asked_for() -> None:
    """Every range in pyproject.toml holds the pinned version: whoever changes one runs `make lock`."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - after pytest, which brings it

    table = PROJECT["project"]
    asked = [Requirement(text) for texts in table["optional-dependencies"].values() for text in texts]
    asked += [Requirement(text) for text in (*table["dependencies"], *PROJECT["build-system"]["requires"])]
    for requirement in asked:
        if requirement.name != table["name"]:
            line = ENTRIES[requirements.normalise(requirement.name)]
            version = line.partition("==")[2].split()[0]
            assert requirement.specifier.contains(version, prereleases=True), requirement
