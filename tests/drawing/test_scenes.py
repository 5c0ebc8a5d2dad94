"""Scenes: what they may show, how they are captioned, and which of them training never sees."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Final

import pytest

from dam.drawing.nouns import NOUNS, NUMBER_WORDS, article
from dam.drawing.scenes import (
    COLOURS,
    HELD_OUT_SHARE,
    WIDTH,
    Scene,
    distinct_held_out,
    draw_scene,
    draw_scenes,
)
from demo_models.pictures import draw_batch

_SINGULAR: Final = {noun.singular: noun for noun in NOUNS}
_PLURAL: Final = {noun.plural: noun for noun in NOUNS}
_COLOUR: Final = "|".join(COLOURS)
_GROUND: Final = re.compile(
    rf"(?P<objects>.+) on (?:plain (?P<plain>{_COLOUR})|an? (?P<gradient>{_COLOUR}) gradient"
    rf"|(?P<stripes>{_COLOUR}) stripes|(?P<dots>{_COLOUR}) dots)"
)


def scenes(seed: int, count: int, *, held_out: bool) -> list[Scene]:
    return list(islice(draw_scenes(seed, held_out=held_out), count))


def read_group(phrase: str) -> tuple[str, int]:
    """A caption's phrase as noun and number."""
    first, word = phrase.split()
    if first in {"a", "an"}:
        assert first == article(word)
        return _SINGULAR[word].singular, 1
    (count,) = (number for number, name in NUMBER_WORDS.items() if name == first)
    return _PLURAL[word].singular, count


def nouns_of(caption: str) -> list[tuple[str, int]]:
    """What a caption says is in the picture, by grammar alone."""
    parsed = _GROUND.fullmatch(caption)
    assert parsed, caption
    return [read_group(phrase) for phrase in re.split(r", | and | left of | above ", parsed["objects"])]


def test_the_same_seed_gives_the_same_scenes() -> None:
    """On any machine, in any process: samples and training depend on it."""
    assert scenes(5, 200, held_out=False) == scenes(5, 200, held_out=False)
    assert scenes(5, 50, held_out=True) != scenes(6, 50, held_out=True)
    assert scenes(60, 1, held_out=True)[0].caption == distinct_held_out(60, 1)[0].caption


def test_a_caption_is_canonical() -> None:
    """Groups in reading order, their relation, the background: it says what is drawn, and all of it."""
    for scene in scenes(1, 1500, held_out=False) + scenes(1, 1500, held_out=True):
        said = nouns_of(scene.caption)
        assert said == [(group.noun.singular, group.count) for group in scene.groups]
        drawn = [placed.noun.singular for placed in scene.placed]
        assert drawn == [name for name, count in said for _ in range(count)]
        assert (" left of " in scene.caption) == (scene.relation == "left of")
        assert (" above " in scene.caption) == (scene.relation == "above")
        parsed = _GROUND.fullmatch(scene.caption)
        assert parsed
        assert parsed[scene.background.style] == scene.background.colour


def test_what_a_caption_says_of_places_is_true() -> None:
    """The first group stands left of, or above, the second; and everything lies within the picture."""
    for scene in scenes(2, 1000, held_out=False):
        for placed in scene.placed:
            reach = placed.size * 0.45
            assert reach < placed.x < WIDTH - reach
            assert reach < placed.y < 1 - reach
        if scene.relation is None:
            assert [placed.x for placed in scene.placed] == sorted(placed.x for placed in scene.placed)
            continue
        count = scene.groups[0].count
        axis = "x" if scene.relation == "left of" else "y"
        first = [getattr(placed, axis) for placed in scene.placed[:count]]
        second = [getattr(placed, axis) for placed in scene.placed[count:]]
        assert max(first) < min(second)


def test_every_noun_can_be_told_from_every_other() -> None:
    """No glyph and no word twice, so that each caption has one meaning."""
    assert len({noun.glyph for noun in NOUNS}) == len(NOUNS)
    words = [word for noun in NOUNS for word in (noun.singular, noun.plural)]
    assert len(set(words)) == len(words)


def split_key(scene: Scene) -> tuple[str, ...]:
    """What decides the split: the nouns together, or one noun with its count and its ground."""
    names = sorted({name for name, _ in nouns_of(scene.caption)})
    if len(names) > 1:
        return tuple(names)
    return (*names, str(scene.groups[0].count), scene.background.colour, scene.background.style)


def test_training_never_meets_what_is_held_out() -> None:
    """Not the scene, not its nouns together in any count, order or relation or on any ground."""
    trained = {split_key(scene) for scene in scenes(3, 6000, held_out=False)}
    held_out = {split_key(scene) for scene in scenes(4, 2000, held_out=True)}
    samples = {split_key(scene) for scene in distinct_held_out(60, 60)}
    assert samples
    assert not trained & (held_out | samples)


def test_the_split_looks_at_nothing_else() -> None:
    """Other counts, the other order or another background do not bring a held-out pair into training."""
    random = Random(9)  # noqa: S311 - which ones to try
    for scene in scenes(5, 600, held_out=True):
        other = random.choice(scenes(6, 20, held_out=False)).background
        if len(scene.groups) > 1:
            assert replace(scene, groups=scene.groups[::-1], background=other).held_out
            assert replace(scene, groups=tuple(replace(group, count=1) for group in scene.groups)).held_out


def test_a_tenth_is_held_out() -> None:
    """Of several nouns and of single ones alike: enough to measure by, little enough to learn without."""
    random = Random(7)  # noqa: S311 - pictures, not secrets
    drawn = [draw_scene(random) for _ in range(8000)]
    for several in (True, False):
        kind = [scene.held_out for scene in drawn if (len(scene.groups) > 1) is several]
        assert len(kind) > 1000
        assert sum(kind) / len(kind) == pytest.approx(HELD_OUT_SHARE, abs=0.025)


def test_what_the_demo_models_learn_from_is_not_held_out() -> None:
    """A training batch, as the training script draws it."""
    held_out = {split_key(scene) for scene in scenes(11, 3000, held_out=True)}
    batch = draw_batch(12, 16)
    assert batch.captions == [scene.caption for scene in scenes(12, 16, held_out=False)]
    for scene in scenes(12, 16, held_out=False):
        assert split_key(scene) not in held_out


def test_held_out_scenes_have_different_captions() -> None:
    """As many as are asked for, and a longer list begins with the shorter one."""
    many = distinct_held_out(60, 300)
    assert len({scene.caption for scene in many}) == 300
    assert all(scene.held_out for scene in many)
    assert many[:60] == distinct_held_out(60, 60)
