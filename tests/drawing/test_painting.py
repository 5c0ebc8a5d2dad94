"""Scenes as pixels and as files: repeatable, alike at any size, and the very samples that are committed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dam.drawing import painting
from dam.drawing.files import CAPTIONS, SAMPLES, draw_files, draw_more
from dam.drawing.painting import FontMissingError, font_installed, paint
from dam.drawing.scenes import distinct_held_out
from dam.pictures.decoding import decode

COMMITTED = Path(__file__).parents[2] / "samples"
NUMBERS = (1, 2, 3, 17, 60)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference, in levels of 0 to 255."""
    assert one.size == other.size
    return float(np.abs(np.asarray(one, dtype=np.float32) - np.asarray(other, dtype=np.float32)).mean())


def test_the_font_is_here() -> None:
    """It is installed with what the tests need: nothing below is left out."""
    assert font_installed()


def test_a_scene_is_always_the_same_picture() -> None:
    """Byte for byte, and in the size that was asked for."""
    scene = distinct_held_out(60, 1)[0]
    assert paint(scene, 120).tobytes() == paint(scene, 120).tobytes()
    assert paint(scene, 120).size == (160, 120)
    assert paint(scene).size == (640, 480)
    assert paint(scene).mode == "RGB"


def test_a_scene_looks_the_same_large_and_small() -> None:
    """Training draws small, the samples are large: a sample made small is what training would have drawn."""
    for scene in distinct_held_out(60, 8):
        shrunk = paint(scene, 480).resize((160, 120), Image.Resampling.BOX)
        assert difference(shrunk, paint(scene, 120)) < 6


def test_the_committed_samples_are_what_the_script_draws(tmp_path: Path) -> None:
    """Captions are equal, and pictures are as far as another version of font or encoder allows."""
    scenes = distinct_held_out(60, SAMPLES)
    committed = json.loads((COMMITTED / CAPTIONS).read_text())
    assert list(committed.values()) == [scene.caption for scene in scenes]
    assert {path.name for path in COMMITTED.glob("drawn-*")} == set(committed)
    for number in NUMBERS:
        ((name, caption),) = draw_more(tmp_path, number, 1).items()
        assert committed[name] == caption
        assert difference(decode(tmp_path / name), decode(COMMITTED / name)) < 2


def test_more_pictures_go_on_where_the_samples_end(tmp_path: Path) -> None:
    """Numbers, names and captions continue, none twice; what was drawn before is not drawn again."""
    samples = json.loads((COMMITTED / CAPTIONS).read_text())
    more = draw_more(tmp_path, SAMPLES + 1, 3)
    assert [name.split(".")[0] for name in more] == ["drawn-061", "drawn-062", "drawn-063"]
    assert {path.name for path in tmp_path.iterdir()} == set(more)
    assert not set(more) & set(samples)
    assert not set(more.values()) & set(samples.values())
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = draw_more(tmp_path, SAMPLES + 1, 5)
    assert list(again.items())[:3] == list(more.items())
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert [decode(tmp_path / name).size for name in again] == [(640, 480)] * 5


def test_a_folder_of_drawn_files_has_its_captions(tmp_path: Path) -> None:
    """As the script writes `samples/`, readable by `dam demo --images`; written anew each time."""
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "drawn-001.png").write_bytes(b"of an older version")
    truth = draw_files(tmp_path / "new", 2)
    assert json.loads((tmp_path / "new" / CAPTIONS).read_text()) == truth
    assert {path.name for path in (tmp_path / "new").iterdir()} == {*truth, CAPTIONS}
    assert [decode(tmp_path / "new" / name).size for name in truth] == [(640, 480)] * 2


def test_a_machine_without_the_font_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error for people, before any file is made."""
    monkeypatch.setattr(painting, "FONT", tmp_path / "no.ttf")
    painting._font.cache_clear()
    painting._sprite.cache_clear()
    with pytest.raises(FontMissingError, match="apt-get install fonts-noto-color-emoji"):
        draw_more(tmp_path / "drawn", SAMPLES + 1, 1)
    assert not list((tmp_path / "drawn").iterdir())
