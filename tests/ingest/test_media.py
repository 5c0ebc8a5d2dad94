"""Types told from content: every accepted format as real encoders write it, and what must be refused."""

from __future__ import annotations

import io
from typing import Any

import pillow_heif
import pytest
from PIL import Image

from dam.media import AVIF, HEAD_BYTES, HEIC, HEIF, MEDIA_TYPES, TIFF, sniff_type

pillow_heif.register_heif_opener()


def encode(image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(buffer, image_format, **options)
    return buffer.getvalue()


SECOND = Image.new("RGB", (64, 48), "blue")


@pytest.mark.parametrize(
    ("image_format", "options", "mime_type", "extension"),
    [
        ("JPEG", {}, "image/jpeg", "jpg"),
        ("MPO", {"save_all": True, "append_images": [SECOND]}, "image/jpeg", "jpg"),
        ("PNG", {}, "image/png", "png"),
        ("PNG", {"save_all": True, "append_images": [SECOND]}, "image/png", "png"),
        ("WEBP", {}, "image/webp", "webp"),
        ("WEBP", {"lossless": True}, "image/webp", "webp"),
        ("GIF", {}, "image/gif", "gif"),
        ("TIFF", {}, "image/tiff", "tif"),
        ("TIFF", {"big_tiff": True}, "image/tiff", "tif"),
        ("BMP", {}, "image/bmp", "bmp"),
        ("HEIF", {}, "image/heic", "heic"),
        ("AVIF", {}, "image/avif", "avif"),
        ("AVIF", {"save_all": True, "append_images": [SECOND]}, "image/avif", "avif"),
    ],
)
def test_real_files(image_format: str, options: dict[str, Any], mime_type: str, extension: str) -> None:
    """A file as Pillow or libheif writes it is told by its first bytes."""
    found = sniff_type(encode(image_format, **options)[:HEAD_BYTES])
    assert found is not None
    assert (found.mime_type, found.extension, found.asset_type) == (mime_type, extension, "image")


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    return (16 + 4 * len(compatible)).to_bytes(4, "big") + b"ftyp" + major + bytes(4) + b"".join(compatible)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (ftyp(b"heix", b"mif1", b"heic"), HEIC),  # 10-bit, as cameras write it
        (ftyp(b"mif1", b"mif1", b"heic"), HEIC),  # as older iPhones write it
        (ftyp(b"msf1", b"hevc"), HEIC),
        (ftyp(b"mif1", b"avif", b"miaf"), AVIF),
        (ftyp(b"avis", b"avif", b"msf1"), AVIF),
        (ftyp(b"mif1", b"miaf"), HEIF),
        (ftyp(b"isom", b"iso2", b"mp41"), None),  # a video
        (ftyp(b"isom", b"mif1"), None),  # a video with a picture in it
        (ftyp(b"crx ", b"isom"), None),  # a camera's raw
        (b"MM\x00+\x00\x08\x00\x00" + bytes(40), TIFF),
        (b"BMW builds cars in Munich, and that is no bitmap at all.", None),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"%PDF-1.7", None),
        (b"#!/bin/sh", None),
        (b"\xff\xd8", None),
        (b"\x00\x00\x00\x08ftyp", None),
        (b"", None),
    ],
)
def test_heads(head: bytes, expected: object) -> None:
    """Brands are told apart; what is no accepted picture is None, however it begins."""
    assert sniff_type(head) == expected


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "HEIF", "AVIF"])
def test_any_prefix_is_safe(image_format: str) -> None:
    """A file cut anywhere gives its type or None, and never another type or an error."""
    data = encode(image_format)
    whole = sniff_type(data)
    assert {sniff_type(data[:length]) for length in range(64)} <= {whole, None, HEIF}


def test_types_are_distinct() -> None:
    """No two types share a MIME type or an extension."""
    assert len({media.mime_type for media in MEDIA_TYPES}) == len(MEDIA_TYPES)
    assert len({media.extension for media in MEDIA_TYPES}) == len(MEDIA_TYPES)
