"""Pictures that are right, and rarely seen: they must end as any other."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from tests.pictures.files import encode, png, png_chunk, scene


def pixels() -> list[bytes]:
    """One by one, in every kind that can hold it."""
    one = Image.new("RGB", (1, 1), "red")
    kinds = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF")
    return [*(encode(one, kind) for kind in kinds), encode(one.convert("P"), "GIF")]


def strips() -> list[bytes]:
    """50,000 by 1 and 1 by 50,000."""
    sizes = ((50_000, 1), (1, 50_000))
    return [encode(scene(*size), kind) for size in sizes for kind in ("PNG", "JPEG", "TIFF")]


def inks() -> list[bytes]:
    """CMYK: JPEG and TIFF."""
    image = scene().convert("CMYK")
    return [encode(image, "JPEG"), encode(image, "TIFF"), encode(image, "TIFF", compression="jpeg")]


def deep() -> list[bytes]:
    """Sixteen bits a sample, and floating point."""
    ramp = np.linspace(0, 65535, 96 * 64).reshape(64, 96)
    grey = Image.fromarray(ramp.astype(np.uint16))
    rows = np.repeat(ramp.astype(">u2")[:, :, None], 3, axis=2).tobytes()
    return [
        encode(grey, "PNG"),
        encode(grey, "TIFF"),
        png(96, 64, 16, 2, rows),
        encode(Image.fromarray((ramp / 65535).astype(np.float32)), "TIFF"),
    ]


def palettes() -> list[bytes]:
    """A palette with one transparent colour, with half transparent ones; grey with alpha; one bit."""
    image = scene().quantize(16)
    return [
        encode(image, "PNG", transparency=3),
        encode(image, "PNG", transparency=bytes(range(0, 256, 16))),
        encode(image, "GIF", transparency=3),
        encode(scene().convert("LA"), "PNG"),
        encode(scene().convert("1"), "PNG"),
        encode(scene().convert("RGBA"), "WEBP", lossless=True),
    ]


def orientations() -> list[bytes]:
    """All eight of EXIF, and three numbers that mean nothing."""
    turned = []
    for value in (*range(1, 9), 0, 9, 65535):
        exif = Image.Exif()
        exif[0x0112] = value
        turned.append(encode(scene(), "JPEG", exif=exif))
    return turned


def profiles() -> list[bytes]:
    """ICC: noise, empty, cut short, of another colour space, of a lying length."""
    whole = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    lying = struct.pack(">I", 0xFFFFFFFF) + whole[4:]
    broken = (b"noise" * 100, whole[:60], whole[: len(whole) // 2], lab, lying)
    return [encode(scene(), kind, icc_profile=data) for data in broken for kind in ("JPEG", "PNG")]


def exifs() -> list[bytes]:
    """EXIF: noise, a directory that points at itself, counts of four milliards, no dates."""
    head = b"Exif\0\0"
    itself = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    many = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0112, 3, 0xFFFFFFFF, 8) + bytes(4)
    dated = Image.Exif()
    dated[0x0132] = "0000:99:99 99:99:99\0\0"
    broken: list[Any] = [head + b"noise" * 40, head, head + itself, head + many, head + b"MM\0*", dated]
    return [encode(scene(), "JPEG", exif=data) for data in broken]


def extra_chunks() -> list[bytes]:
    """A PNG with a chunk that nobody knows, and one with a palette that it does not need."""
    chunks = (png_chunk(b"dAMx", b"unknown" * 20), png_chunk(b"PLTE", bytes(9)))
    return [png(4, 4, 8, 2, bytes(48), chunk) for chunk in chunks]
