"""The `base` set from the hub's cache, with no network: the pinned revisions or a clear error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bentos.captioner import Captioner
from bentos.embedder import Embedder
from bentos.modelsets import HUB_SETS, ModelInfo
from bentos.tiny import write_set
from tests.bentos.reference import make_pictures

if TYPE_CHECKING:
    from pathlib import Path

BASE = HUB_SETS["base"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stands in for the weights that the hub would give: the same files, smaller."""
    folder = tmp_path_factory.mktemp("written") / "tiny"
    write_set(folder, "tiny")
    return folder


def test_base_from_the_cache(tiny: Path, tmp_path: Path) -> None:
    """Without a network, `base` comes from the hub's cache, at exactly the pinned revisions, and loads."""
    fill_cache(tmp_path, BASE.caption, tiny / "blip")
    fill_cache(tmp_path, BASE.embedding, tiny / "clip")
    found = locate_base_offline(tmp_path)
    assert found.returncode == 0, found.stderr
    captioner_folder, embedder_folder = (tmp_path / line for line in found.stdout.split())
    assert captioner_folder.name == BASE.caption.revision
    assert embedder_folder.name == BASE.embedding.revision
    captioner, embedder = Captioner(captioner_folder), Embedder(embedder_folder)
    picture = make_pictures()[0]
    assert captioner.caption([captioner.prepare(picture)])[0]
    assert len(embedder.embed_images([embedder.prepare_image(picture)])[0]) == 32


def test_base_is_not_there(tmp_path: Path) -> None:
    """Without a network and without a cache, the error says what to do."""
    found = locate_base_offline(tmp_path)
    assert found.returncode != 0
    assert f"{BASE.caption.model} at {BASE.caption.revision} is not in the cache" in found.stderr
    assert "DAM_MODELS_DIR" in found.stderr
    assert "DAM_MODEL_SET=demo" in found.stderr


def test_base_at_another_revision(tiny: Path, tmp_path: Path) -> None:
    """A cache that holds another revision is no substitute."""
    other = BASE.embedding.model_copy(update={"revision": "0" * 40})
    fill_cache(tmp_path, BASE.caption, tiny / "blip")
    fill_cache(tmp_path, other, tiny / "clip")
    found = locate_base_offline(tmp_path)
    assert found.returncode != 0
    assert f"{BASE.embedding.model} at {BASE.embedding.revision} is not in the cache" in found.stderr


def fill_cache(cache: Path, info: ModelInfo, source: Path) -> None:
    """Put `source` into a cache as the hub's client lays it out: snapshots of links to blobs."""
    repository = cache / f"models--{info.model.replace('/', '--')}"
    snapshot = repository / "snapshots" / info.revision
    (repository / "blobs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(source.iterdir())):
        shutil.copy(file, repository / "blobs" / str(number))
        (snapshot / file.name).symlink_to(f"../../blobs/{number}")


def locate_base_offline(cache: Path) -> subprocess.CompletedProcess[str]:
    """Locate `base` in a process of its own, where the hub's client reads its environment anew."""
    script = (
        "from bentos.modelsets import locate\n"
        "located = locate('base', None)\n"
        "print(located.captioner, located.embedder, sep='\\n')"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(cache)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
