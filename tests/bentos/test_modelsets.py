"""Model sets: what is found where, and that nothing is ever loaded in another's place."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from bentos.engine import Engine
from bentos.modelsets import (
    DEMO_FOLDER,
    HUB_SETS,
    EmbedderInfo,
    ModelInfo,
    ModelSet,
    locate,
    write_description,
)
from bentos.settings import BentoSettings
from bentos.tiny import write_set
from dam.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path


class SilentRecorder:
    """Metrics that nobody reads."""

    def batch(self, lane: str, size: int, seconds: float) -> None: ...  # noqa: D102 - as the class says
    def waited(self, lane: str, seconds: float) -> None: ...  # noqa: D102
    def depth(self, lane: str, items: int) -> None: ...  # noqa: D102


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "tiny"
    write_set(folder, "tiny")
    return folder


@pytest.fixture
def models_dir(tiny: Path, tmp_path: Path) -> Path:
    """A folder that a test may damage: the tiny set as `tiny`."""
    shutil.copytree(tiny, tmp_path / "tiny")
    return tmp_path


def test_demo_needs_nothing() -> None:
    """The demo set is part of the package: no folder, no download."""
    located = locate("demo", None)
    assert (located.captioner, located.embedder) == (DEMO_FOLDER / "blip", DEMO_FOLDER / "clip")
    assert "drawn world" in located.description.notice
    assert "DAM_MODEL_SET=base" in located.description.notice


def test_demo_is_small() -> None:
    """Both demo models together stay under 20 MB, so that they can live in the repository."""
    assert sum(file.stat().st_size for file in DEMO_FOLDER.rglob("*") if file.is_file()) < 20_000_000


def test_folder(models_dir: Path) -> None:
    """A set in DAM_MODELS_DIR is described by its own file."""
    located = locate("tiny", models_dir)
    assert located.description.caption == ModelInfo(model="tiny-blip", revision="untrained-1")
    assert located.description.embedding.dim == 32
    assert located.captioner == models_dir / "tiny" / "blip"


def test_known_set_in_a_folder(models_dir: Path) -> None:
    """`base` copied by hand needs no description: name, revisions and dimension are known."""
    (models_dir / "tiny").rename(models_dir / "base")
    (models_dir / "base" / "model_set.json").unlink()
    assert locate("base", models_dir).description == HUB_SETS["base"]


def test_folder_wins_over_the_package(models_dir: Path) -> None:
    """With DAM_MODELS_DIR set, a set that is not there is an error, though the package has one."""
    with pytest.raises(SettingsError, match=r"'demo' cannot be loaded: there is no .*demo/model_set\.json"):
        locate("demo", models_dir)


def test_unknown_name() -> None:
    """A set that nobody knows is refused with those that are known."""
    with pytest.raises(SettingsError, match=r"no model set 'huge'.*Known are demo and base"):
        locate("huge", None)


def describe(*, revision: str = "1", dim: int = 8) -> str:
    """A description with one value of the test's choice."""
    embedding = {"model": "b", "revision": revision, "dim": dim}
    return json.dumps(
        {"name": "tiny", "caption": {"model": "a", "revision": revision}, "embedding": embedding}
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="empty"),
        pytest.param('{"name": "tiny", "caption"', id="cut"),
        pytest.param('{"name": "tiny"}', id="incomplete"),
        pytest.param("[]", id="a list"),
        pytest.param(describe(dim=0), id="no dimension"),
        pytest.param(describe(revision=""), id="no revision"),
    ],
)
def test_damaged_description(models_dir: Path, content: str) -> None:
    """A description that says not enough is refused by its path."""
    path = models_dir / "tiny" / "model_set.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match="does not describe a model set") as caught:
        locate("tiny", models_dir)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("part", ["blip", "clip"])
def test_missing_part(models_dir: Path, part: str) -> None:
    """A set without one of its models is refused, with the folder that is missing."""
    shutil.rmtree(models_dir / "tiny" / part)
    with pytest.raises(SettingsError, match=f"'tiny' is incomplete: there is no folder .*tiny/{part}"):
        locate("tiny", models_dir)


async def test_wrong_dimension(models_dir: Path) -> None:
    """A description that promises vectors of another length stops the start: catalogue and index trust it."""
    description = locate("tiny", models_dir).description
    promised = description.model_copy(
        update={"embedding": EmbedderInfo(model="tiny-clip", revision="untrained-1", dim=512)}
    )
    write_description(models_dir / "tiny", promised)
    engine = Engine(BentoSettings(model_set="tiny", models_dir=models_dir), SilentRecorder())
    try:
        with pytest.raises(SettingsError, match="vectors have 512 numbers, but its model makes 32"):
            await engine.start()
    finally:
        await engine.close()


@pytest.mark.parametrize("weights", ["blip/model.safetensors", "clip/open_clip_model.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "missing"])
def test_damaged_weights(models_dir: Path, weights: str, damage: str) -> None:
    """Weights that cannot be read stop the start, with the folders; no other set is taken."""
    path = models_dir / "tiny" / weights
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SettingsError, match="'tiny' cannot be loaded from") as caught:
        Engine(BentoSettings(model_set="tiny", models_dir=models_dir), SilentRecorder())
    assert str(path.parent) in str(caught.value)


def test_description_round_trip(tmp_path: Path) -> None:
    """What was written is what is found."""
    description = ModelSet(
        name="mine",
        caption=ModelInfo(model="a", revision="1"),
        embedding=EmbedderInfo(model="b", revision="2", dim=8),
        notice="Mine — for ships.",
    )
    for part in ("blip", "clip"):
        (tmp_path / "mine" / part).mkdir(parents=True)
    write_description(tmp_path / "mine", description)
    assert locate("mine", tmp_path).description == description
