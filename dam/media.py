"""Which media types the pipeline takes, told from a file's first bytes and never from its name.

Ingest names originals by it. The libraries for this (filetype 1.2, puremagic 1.30) take BMW for a bitmap and
miss HEIC with brand `heix`, AVIF sequences and BigTIFF; the list is short and closed, so it stands here.
Nothing is decoded: whether the picture is whole is for `dam.pictures` to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HEAD_BYTES: Final = 512
"""How many first bytes `sniff_type` may look at; fewer are given only where the file is shorter."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """One accepted type; `extension` without its dot, `asset_type` as in the catalogue row."""

    mime_type: str
    extension: str
    asset_type: str
    name: str


JPEG: Final = MediaType("image/jpeg", "jpg", "image", "JPEG")
PNG: Final = MediaType("image/png", "png", "image", "PNG")
WEBP: Final = MediaType("image/webp", "webp", "image", "WebP")
GIF: Final = MediaType("image/gif", "gif", "image", "GIF")
TIFF: Final = MediaType("image/tiff", "tif", "image", "TIFF")
BMP: Final = MediaType("image/bmp", "bmp", "image", "BMP")
HEIC: Final = MediaType("image/heic", "heic", "image", "HEIC")
HEIF: Final = MediaType("image/heif", "heif", "image", "HEIF")
AVIF: Final = MediaType("image/avif", "avif", "image", "AVIF")

MEDIA_TYPES: Final = (JPEG, PNG, WEBP, GIF, TIFF, BMP, HEIC, HEIF, AVIF)

_SIGNATURES: Final = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\x00", TIFF),
    (b"MM\x00*", TIFF),
    (b"II+\x00\x08\x00\x00\x00", TIFF),  # BigTIFF, whose offsets are 8 bytes
    (b"MM\x00+\x00\x08\x00\x00", TIFF),
)
_BRANDS: Final = (
    # In this order: an AVIF names `mif1` too, and some HEIC files name it first.
    (AVIF, frozenset({b"avif", b"avis"})),
    (HEIC, frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})),
    (HEIF, frozenset({b"mif1", b"msf1", b"mif2"})),
)
_BMP_HEADER_SIZES: Final = frozenset({12, 16, 40, 52, 56, 64, 108, 124})


def sniff_type(head: bytes) -> MediaType | None:
    """The type of a file that begins with `head` (`HEAD_BYTES`, or the whole file), or None: not accepted."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return WEBP
    if head[4:8] == b"ftyp":
        return _type_of_brands(head)
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return BMP
    return None


def _type_of_brands(head: bytes) -> MediaType | None:
    """HEIF and AVIF share MP4's container: the brands in its first box tell which it is.

    The major brand decides where it is one of ours. Else the compatible ones do, for a picture only: a video
    may name `mif1` among its brands, when a picture is stored in it too.
    """
    box = int.from_bytes(head[:4], "big")
    major, compatible = head[8:12], {head[at : at + 4] for at in range(16, min(box, len(head)) - 3, 4)}
    generic = _BRANDS[-1][1]
    for media_type, brands in _BRANDS:
        if major in brands and major not in generic:
            return media_type
    if major not in generic:
        return None
    return next(media_type for media_type, brands in _BRANDS if brands & (compatible | {major}))
