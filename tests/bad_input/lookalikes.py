"""Files that are no picture, or a picture and something else as well."""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Final

from PIL import Image, PngImagePlugin

from tests.pictures.files import WAYS, encode, png_chunk, scene, written

SCRIPT: Final = b"<script>alert(document.domain)</script>"
PAGE: Final = b"<!DOCTYPE html><html><body>" + SCRIPT + b"</body></html>"
DRAWING: Final = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)">' + SCRIPT + b"</svg>",
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg>&x;</svg>',
)
DOCUMENT: Final = (
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n"
)


def archive() -> bytes:
    """A ZIP with one file, whose name leads out of the folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        opened.writestr("../../escape.html", PAGE)
    return buffer.getvalue()


def no_pictures() -> list[bytes]:
    """Text, data and documents, a film, zeros."""
    return [
        b"Dear reader, this is no picture at all.\n" * 20,
        b'{"schema": 1, "kind": "enrich"}',
        PAGE,
        DOCUMENT,
        archive(),
        b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(100),
        bytes(5000),
        b"\x7fELF\x02\x01\x01" + bytes(200),
    ]


def packed() -> list[bytes]:
    """A gigabyte of zeros, packed into a megabyte; and a picture, packed."""
    return [gzip.compress(bytes(1 << 20), 9) * 1024, gzip.compress(written("png"))]


def behind_something_else() -> list[bytes]:
    """A picture that begins as a page, a document, an archive."""
    return [PAGE + written("png"), DOCUMENT + written("jpeg"), archive() + written("gif")]


def with_something_behind(what: bytes) -> list[bytes]:
    """A picture of every kind, and `what` after its end."""
    return [written(way) + what for way in ("jpeg", "png", "gif", "webp", "bmp", "tiff", "heic", "avif")]


def with_something_inside(what: bytes) -> list[bytes]:
    """The same text as a comment, as EXIF, as XMP, as text: where a browser might sniff it."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", what.decode("latin-1"))
    exif = Image.Exif()
    exif[0x010E] = what.decode("latin-1")
    return [
        encode(scene(), "JPEG", comment=what),
        encode(scene(), "JPEG", exif=exif),
        encode(scene(), "WEBP", xmp=what),
        encode(scene(), "PNG", pnginfo=text),
        encode(scene().quantize(16), "GIF", comment=what),
        encode(scene(), "TIFF", description=what.decode("latin-1")),
    ]


def script_in_form() -> list[bytes]:
    """A GIF whose width spells the beginning of a comment in JavaScript: `GIF89a/*…`."""
    whole = bytearray(encode(Image.new("P", (0x2A2F, 4)), "GIF"))
    whole[:6] = b"GIF89a"
    assert whole[:8] == b"GIF89a/*"
    return [bytes(whole) + b"*/=1;alert(1)"]


def cut(way: str) -> list[bytes]:
    """A file that ends after each tenth."""
    data = _bulky(way)
    return [data[: len(data) * tenth // 10] for tenth in range(1, 10)]


def _bulky(way: str) -> bytes:
    """Larger than its head and its directory, so that tenths fall into pixels."""
    image_format, options = WAYS[way]
    image = scene(240, 180)
    return encode(image.quantize(64) if image_format == "GIF" else image, image_format, **options)


def zeroed() -> list[bytes]:
    """Of their full size, with nothing in their last third: downloads that broke off."""
    whole = [_bulky(way) for way in ("jpeg", "gif", "png")]
    return [data[: len(data) * 2 // 3] + bytes(-(-len(data) // 3)) for data in whole]


def wrong_checksums() -> list[bytes]:
    """A PNG with one bit of its pixels turned, at three places."""
    data = _bulky("png")
    turned = []
    for share in (0.3, 0.6, 0.9):
        at = int(len(data) * share)
        turned.append(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
    return turned


def only_heads() -> list[bytes]:
    """The first bytes of a picture, and nothing that could be called its end."""
    return [written(way)[:24] for way in ("jpeg", "png", "gif", "bmp", "tiff", "webp")]


def no_pixels() -> bytes:
    """A PNG without its data."""
    whole = written("png")
    return whole[: whole.index(b"IDAT") - 4] + png_chunk(b"IEND", b"")
