"""What is in a picture and where: arrangement, canonical caption, and the held-out split.

Pure: no pixels, no files. Lengths are in units of the picture's height; a picture is 4/3 wide and 1 high.
`painting` draws a scene, the training script learns from scenes that are not held out, samples and
benchmarks show those that are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from dam.drawing.nouns import NOUNS, Noun, article

if TYPE_CHECKING:
    from collections.abc import Iterator

Style = Literal["plain", "gradient", "stripes", "dots"]
Relation = Literal["left of", "above"]

WIDTH: Final = 4 / 3
STYLES: Final[tuple[Style, ...]] = ("plain", "gradient", "stripes", "dots")
COLOURS: Final[dict[str, tuple[int, int, int]]] = {
    "red": (219, 84, 80),
    "orange": (244, 164, 84),
    "yellow": (250, 224, 112),
    "green": (136, 200, 124),
    "blue": (110, 168, 226),
    "purple": (160, 122, 204),
    "pink": (246, 178, 204),
    "grey": (186, 190, 196),
}
HELD_OUT_SHARE: Final = 0.1
# How many objects may be made up of groups; a pair is twice as likely to be of two nouns.
_COUNTS: Final[dict[int, tuple[tuple[int, ...], ...]]] = {
    1: ((1,),),
    2: ((2,), (1, 1), (1, 1)),
    3: ((3,), (2, 1), (1, 2), (1, 1, 1)),
}


@dataclass(frozen=True, slots=True)
class Background:
    """Colour and style are in the caption; turn and shade only make pictures differ.

    Attributes:
        colour: a key of `COLOURS`.
        style: plain, gradient, stripes or dots.
        turn: direction of gradient or pattern, in eighths of a full turn.
        shade: multiplies the lightness, about 1.
        period: distance between stripes or dots, in heights.
    """

    colour: str
    style: Style
    turn: int
    shade: float
    period: float

    def phrase(self) -> str:
        """How the caption names it."""
        if self.style == "plain":
            return f"on plain {self.colour}"
        if self.style == "gradient":
            return f"on {article(self.colour)} {self.colour} gradient"
        return f"on {self.colour} {self.style}"


@dataclass(frozen=True, slots=True)
class Placed:
    """One object: its centre and size in heights, its angle in degrees."""

    noun: Noun
    x: float
    y: float
    size: float
    angle: float


@dataclass(frozen=True, slots=True)
class Group:
    """One to three of the same noun."""

    noun: Noun
    count: int

    def phrase(self) -> str:
        """`a fox`, `two foxes`."""
        return self.noun.counted(self.count)


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture: its groups in reading order, how they relate, where each object stands."""

    groups: tuple[Group, ...]
    relation: Relation | None
    background: Background
    placed: tuple[Placed, ...]

    @property
    def caption(self) -> str:
        """The one canonical caption."""
        phrases = [group.phrase() for group in self.groups]
        if self.relation is not None:
            objects = f"{phrases[0]} {self.relation} {phrases[1]}"
        elif len(phrases) > 1:
            objects = f"{', '.join(phrases[:-1])} and {phrases[-1]}"
        else:
            objects = phrases[0]
        return f"{objects} {self.background.phrase()}"

    @property
    def held_out(self) -> bool:
        """Whether training must never see this combination.

        Different nouns: the set of nouns, so that a held-out pair is never seen together in any count,
        order, relation or background. One noun: the noun with its count and background.
        """
        names = sorted({group.noun.singular for group in self.groups})
        if len(names) == 1:
            names += [str(self.groups[0].count), self.background.colour, self.background.style]
        digest = hashlib.sha256("|".join(names).encode()).digest()
        return int.from_bytes(digest[:4]) < HELD_OUT_SHARE * 2**32


def draw_scene(random: Random) -> Scene:
    """One scene from the whole world: a quarter with one object, the rest with two or three, evenly."""
    objects = random.choices((1, 2, 3), (0.25, 0.375, 0.375))[0]
    groups, relation = _choose_groups(random, objects)
    return Scene(groups, relation, _choose_background(random), _place(random, groups, relation))


def draw_scenes(seed: int, *, held_out: bool) -> Iterator[Scene]:
    """Endless scenes of one side of the split; the same seed gives the same scenes."""
    random = Random(seed)  # noqa: S311 - pictures, not secrets; must be repeatable
    while True:
        scene = draw_scene(random)
        if scene.held_out is held_out:
            yield scene


def distinct_held_out(seed: int, count: int) -> list[Scene]:
    """`count` held-out scenes with different captions."""
    found: dict[str, Scene] = {}
    for scene in draw_scenes(seed, held_out=True):
        found.setdefault(scene.caption, scene)
        if len(found) == count:
            break
    return list(found.values())


def _choose_groups(random: Random, objects: int) -> tuple[tuple[Group, ...], Relation | None]:
    """Which nouns, how many of each, and their relation."""
    chosen = random.choice(_COUNTS[objects])
    nouns = random.sample(NOUNS, len(chosen))
    groups = tuple(Group(noun, count) for noun, count in zip(nouns, chosen, strict=True))
    relations: tuple[Relation, ...] = ("left of", "above")
    return groups, random.choice(relations) if len(groups) == len(relations) else None


def _choose_background(random: Random) -> Background:
    """A colour, a style and the nuisances that no caption mentions."""
    return Background(
        colour=random.choice(tuple(COLOURS)),
        style=random.choice(STYLES),
        turn=random.randrange(8),
        shade=random.uniform(0.95, 1.05),
        period=random.uniform(0.10, 0.13),
    )


def _place(random: Random, groups: tuple[Group, ...], relation: Relation | None) -> tuple[Placed, ...]:
    """Every object at its spot, a little shifted, scaled and turned."""
    spots, size = _spots(tuple(group.count for group in groups), relation)
    nouns = [group.noun for group in groups for _ in range(group.count)]
    return tuple(
        Placed(
            noun,
            x + random.uniform(-0.035, 0.035),
            y + random.uniform(-0.035, 0.035),
            size * random.uniform(0.9, 1.1),
            random.uniform(-10, 10),
        )
        for noun, (x, y) in zip(nouns, spots, strict=True)
    )


def _spots(counts: tuple[int, ...], relation: Relation | None) -> tuple[list[tuple[float, float]], float]:
    """Centres in reading order, and the size of the objects, for one kind of arrangement."""
    middle = WIDTH / 2
    if relation is None:
        objects = sum(counts)
        spacing = {1: 0.0, 2: 0.60, 3: 0.43}[objects]
        size = {1: 0.56, 2: 0.46, 3: 0.385}[objects]
        return [(middle + spacing * (i - (objects - 1) / 2), 0.5) for i in range(objects)], size
    spots = []
    for index, count in enumerate(counts):
        along = -0.5 if index == 0 else 0.5
        for i in range(count):
            across = i - (count - 1) / 2
            if relation == "left of":
                spots.append((middle + 0.60 * along, 0.5 + 0.46 * across))
            else:
                spots.append((middle + 0.56 * across, 0.5 + 0.47 * along))
    return spots, 0.44 if sum(counts) == len(counts) else 0.40
