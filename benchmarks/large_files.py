"""Pictures of 24 megapixels in several formats, and very large files, made on the spot. Used by `memory`."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from PIL import Image
from pillow_heif import register_heif_opener

from benchmarks.resident import MB

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIZE: Final = (6000, 4000)
FORMATS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "jpeg": ("jpg", {"quality": 90}),
    "progressive_jpeg": ("jpg", {"quality": 90, "progressive": True}),
    "png": ("png", {"compress_level": 1}),
    "heic": ("heic", {"quality": 50, "enc_params": {"preset": "ultrafast"}}),
    "progressive_jpeg_444": ("jpg", {"quality": 90, "progressive": True, "subsampling": 0}),
    "png_with_alpha": ("png", {"compress_level": 1}),
    "tiff": ("tif", {"compression": "tiff_lzw"}),
    "webp": ("webp", {"quality": 80, "method": 0}),
}

register_heif_opener()


def draw_photographs(folder: Path, format_name: str, count: int) -> list[Path]:
    """So many pictures with the grain and the size of a camera's, each with a content of its own."""
    extension, options = FORMATS[format_name]
    paths = []
    for number in range(count):
        picture = _draw(number)
        if format_name == "png_with_alpha":
            picture.putalpha(picture.getchannel("G"))
        path = folder / f"{format_name}-{number}.{extension}"
        picture.save(path, **options)
        paths.append(path)
    return paths


def _draw(seed: int) -> Image.Image:
    grain = (SIZE[0] // 6, SIZE[1] // 6)
    bands = [
        Image.effect_noise(grain, 30 + seed + band).resize(SIZE, Image.Resampling.BICUBIC)
        for band in range(3)
    ]
    return Image.merge("RGB", bands)


def write_bitmaps(folder: Path, *sizes_mb: int) -> list[Path]:
    """Files of these sizes that begin with a bitmap: what ingest sees is their type and their length."""
    paths = []
    for number, size in enumerate(sizes_mb):
        picture = io.BytesIO()
        Image.new("RGB", (32, 24), (number, size % 256, 7)).save(picture, "BMP")
        path = folder / f"large-{number}-{size}.bmp"
        with path.open("wb") as file:
            file.write(picture.getvalue())
            file.truncate(size * MB)
        paths.append(path)
    return paths
