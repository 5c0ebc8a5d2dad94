"""The one table of bad files: what each is, and how it ends. `docs/bad-input.md` is made of it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bad_input import bombs, lookalikes, oddities
from tests.bad_input.outcomes import (
    CUT_SHORT,
    DAMAGED,
    EMPTY,
    NOT_A_PICTURE,
    NOT_READ,
    READY,
    TOO_MANY_PIXELS,
    Case,
)
from tests.pictures.files import WAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BEHIND: Final = lookalikes.with_something_behind
_INSIDE: Final = lookalikes.with_something_inside

TABLE: Final[Mapping[str, Sequence[Case]]] = {
    "No picture": (
        Case("no byte", lambda: [b""], EMPTY),
        Case("one byte", lambda: [b"\xff", b"B", b"\0"], NOT_A_PICTURE),
        Case("text, JSON, a page, a document, a ZIP, a film, zeros", lookalikes.no_pictures, NOT_A_PICTURE),
        Case("an SVG with a script, and one that names a file of ours", lambda: lookalikes.DRAWING, NOT_READ),
        Case("a gigabyte packed into a megabyte; a packed picture", lookalikes.packed, NOT_A_PICTURE),
        Case("a picture behind a page, a document, a ZIP", lookalikes.behind_something_else, NOT_A_PICTURE),
    ),
    "A picture and something else": (
        Case("a page behind the end of each kind", partial(_BEHIND, lookalikes.PAGE), READY),
        Case("an archive behind the end of each kind", lambda: _BEHIND(lookalikes.archive()), READY),
        Case("a document behind the end of each kind", partial(_BEHIND, lookalikes.DOCUMENT), READY),
        Case("a script as comment, EXIF, XMP, text", partial(_INSIDE, lookalikes.SCRIPT), READY),
        Case("a document as comment, EXIF, XMP, text", partial(_INSIDE, b"%PDF-1.7 1 0 obj<<>>"), READY),
        Case("a GIF that is a script in form", lookalikes.script_in_form, READY),
    ),
    "Not whole": (
        *(Case(f"{way}: cut after each tenth", partial(lookalikes.cut, way), CUT_SHORT) for way in WAYS),
        Case("the first 24 bytes of each kind", lookalikes.only_heads, CUT_SHORT),
        Case("a PNG without its data", lambda: [lookalikes.no_pixels()], DAMAGED),
        Case("a PNG with one wrong bit", lookalikes.wrong_checksums, DAMAGED),
        Case("a JPEG, a GIF, a PNG that end in zeros", lookalikes.zeroed, CUT_SHORT),
    ),
    "Too much": (
        Case("sides of 16,000 and 60,000 pixels in the header, every kind", bombs.huge, TOO_MANY_PIXELS),
        Case("a PNG of 30,000 by 30,000 pixels in 100 KB", bombs.huge_and_true, TOO_MANY_PIXELS),
        Case("a TIFF whose tile has gigabytes", bombs.huge_tile, TOO_MANY_PIXELS),
        Case("12 million pixels of one colour; a JPEG of 100 million", bombs.large, READY),
        Case("300 MB of data in a small PNG and TIFF", bombs.deflate, READY),
        Case("a PNG's comment and its profile of 200 MB", bombs.deflate_beside, DAMAGED),
        Case("a PNG of 10,000 comments", bombs.comments, READY),
        Case("10,000 frames: GIF, WebP, PNG", bombs.frames, READY),
        Case("a TIFF of 10,000 directories, in a ring, one in the other", bombs.directories, READY),
        Case("a TIFF directory of 60,000 entries", bombs.many_entries, DAMAGED),
        Case("a JPEG of 5,000 segments", bombs.segments, READY),
        Case("a JPEG of 10,000 scans", bombs.scans, DAMAGED),
    ),
    "Right, and rarely seen": (
        Case("one pixel, every kind", oddities.pixels, READY),
        Case("50,000 by 1 and 1 by 50,000 pixels", oddities.strips, READY),
        Case("CMYK: JPEG and TIFF", oddities.inks, READY),
        Case("16 bits a sample, and floating point", oddities.deep, READY),
        Case("palettes with alpha, grey with alpha, one bit", oddities.palettes, READY),
        Case("every EXIF orientation, and three that mean nothing", oddities.orientations, READY),
        Case("broken ICC profiles", oddities.profiles, READY),
        Case("broken EXIF", oddities.exifs, READY),
        Case("chunks that nobody knows", oddities.extra_chunks, READY),
    ),
}  # fmt: skip
