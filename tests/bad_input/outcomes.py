"""How a file may end: at the upload, as an asset, at the models, and as the picture of a search.

Used by `table`, which names one for every case, and by the tests, which make one of what really happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status each, with the problem's code where it is one; `asset` is empty where there is none."""

    upload: str
    asset: str
    models: str
    search: str


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table. `files` makes its variants, which all end alike."""

    name: str
    files: Callable[[], Sequence[bytes]]
    outcome: Outcome


READY: Final = Outcome("202", "ready", "200", "200")
NOT_A_PICTURE: Final = Outcome("415 unsupported_type", "", "415 not_an_image", "422 invalid_request")
NOT_READ: Final = Outcome("415 unsupported_type", "", "415 unsupported_format", "422 invalid_request")
EMPTY: Final = Outcome("422 empty_file", "", "415 not_an_image", "422 invalid_request")


def _failed(status: int, code: str) -> Outcome:
    return Outcome("202", f"failed: {code}", f"{status} {code}", "422 invalid_request")


CUT_SHORT: Final = _failed(400, "truncated")
DAMAGED: Final = _failed(400, "broken_image")
TOO_MANY_PIXELS: Final = _failed(413, "too_many_pixels")
