"""What `search_quality` files and asks: pictures with names and tags, and queries with what they should find.

A picture's caption tells what is seen, its file name the place, its tag a person, as in a real archive:
place and person are in no caption, and no model can see them.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from dam.drawing.scenes import distinct_held_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dam.drawing.scenes import Scene

_SEED: Final = 41
_OTHERS: Final = 100
PLACES: Final = (
    *("lisbon", "oslo", "kyoto", "lima", "dakar", "quito", "perth", "bergen", "porto", "turin"),
    *("seville", "ghent", "malmo", "tampere", "riga", "bilbao", "cusco", "hanoi", "busan", "osaka"),
    *("mombasa", "tunis", "accra", "calgary", "denver", "austin", "bogota", "split", "izmir", "leipzig"),
)
PEOPLE: Final = (
    *("amara", "bjorn", "chiara", "dmitri", "elif", "farid", "greta", "hiroshi", "ines", "jamal"),
    *("kavita", "lars", "mireille", "nadia", "omar", "paloma", "quentin", "rosalind", "sanjay", "tomasz"),
    *("ulrike", "valeria", "wendel", "xiomara", "yusuf", "zuzana", "anneke", "boris", "carmen", "diego"),
)
MIXED: Final = ("words_and_place", "words_and_person", "words_and_number")
"""Kinds of query with a word that only file name or tags have."""


@dataclass(frozen=True, slots=True)
class Filed:
    """One picture as it is filed: `number` is the camera's, `place` in the file name, `person` the tag."""

    scene: Scene
    number: int
    place: str
    person: str

    @property
    def filename(self) -> str:
        """`lisbon-DSC4711.jpg`."""
        return f"{self.place}-DSC{self.number}.jpg"

    @property
    def nouns(self) -> frozenset[str]:
        """What is seen."""
        return frozenset(group.noun.singular for group in self.scene.groups)


@dataclass(frozen=True, slots=True)
class Query:
    """A text, and the positions of the pictures that somebody who types it wants."""

    kind: str
    text: str
    wanted: frozenset[int]


def file_pictures(seed: int, count: int) -> list[Filed]:
    """Held-out scenes with different captions, each with a name and a tag."""
    random = Random(_SEED)  # noqa: S311 - pictures, not secrets; must be repeatable
    numbers = random.sample(range(1000, 10_000), count)
    return [
        Filed(scene, number, random.choice(PLACES), random.choice(PEOPLE))
        for scene, number in zip(distinct_held_out(seed, count), numbers, strict=True)
    ]


def make_queries(pictures: Sequence[Filed]) -> Iterator[Query]:
    """Its caption for each picture, and a query of each other kind for about a hundred of them."""
    step = max(1, len(pictures) // _OTHERS)
    for at, picture in enumerate(pictures):
        yield Query("caption", picture.scene.caption, frozenset({at}))
        if at % step:
            continue
        words = " and ".join(sorted(picture.nouns))
        alike = {other for other, item in enumerate(pictures) if item.nouns >= picture.nouns}
        there = {other for other in alike if pictures[other].place == picture.place}
        theirs = {other for other in alike if pictures[other].person == picture.person}
        yield Query("words", words, frozenset(alike))
        yield Query("words_and_place", f"{words} {picture.place}", frozenset(there))
        yield Query("words_and_person", f"{picture.person} {words}", frozenset(theirs))
        yield Query("words_and_number", f"{words} {picture.number}", frozenset({at}))
