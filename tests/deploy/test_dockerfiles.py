"""The Dockerfiles: linted, pinned, not root, and no heavier than they need be."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
NAMES: Final = sorted(path.parent.name for path in ROOT.glob("fly/*/Dockerfile"))
LINTER: Final = shutil.which("hadolint", path=str(Path(sys.executable).parent))


def read(name: str) -> str:
    return (ROOT / "fly" / name / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_linter_has_nothing_to_say(name: str) -> None:
    """hadolint, with its own rules and ShellCheck's for each RUN."""
    assert LINTER, "hadolint comes with the `check` extra"
    done = subprocess.run(
        [LINTER, str(ROOT / "fly" / name / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_pinned_and_does_not_run_as_root(name: str) -> None:
    """Bases by their full version, packages by the lock, a user without rights at the end."""
    text = read(name)
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert bases
    for base in bases:
        assert re.fullmatch(r"(python:3\.\d+\.\d+|node:\d+\.\d+)-(slim-bookworm|bookworm-slim)", base)
    assert "requirements.lock" in text
    assert "pip install --require-hashes" in text.replace("--no-deps ", "")
    assert re.findall(r"^USER (\S+)", text, re.MULTILINE)[-1] == "10001"


@pytest.mark.parametrize("name", NAMES)
def test_it_copies_what_is_there_and_what_it_imports(name: str) -> None:
    """Every file of the repository that is copied exists, and passes `.dockerignore`."""
    allowed = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = [
        word
        for words in re.findall(r"^COPY (?!--from)(.+)$", read(name), re.MULTILINE)
        for word in words.split()[:-1]
    ]
    for path in copied:
        assert (ROOT / path).exists()
        assert path.split("/")[0] in allowed


def test_torch_is_in_the_bento_alone() -> None:
    """By what the extras of the images ask for."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    heavy = {name for name in NAMES if "torch" in flatten(extras, installed_by(name))}
    assert heavy == {"bento"}


def installed_by(name: str) -> list[str]:
    found = re.search(r"requirements\.py ([\w ]+?) (?:--without|>)", read(name))
    assert found
    return found[1].split()


def flatten(extras: dict[str, list[str]], names: list[str]) -> set[str]:
    """Names of the packages of these extras, and of those that they name."""
    found = set()
    for requirement in (item for name in names for item in extras[name]):
        if nested := re.fullmatch(r"dam\[([\w,]+)\]", requirement):
            found |= flatten(extras, nested[1].split(","))
        else:
            found.add(re.split(r"[^\w-]", requirement)[0])
    return found
