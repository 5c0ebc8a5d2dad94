"""Colours: any of Pillow's modes to sRGB, as a viewer would show them.

Called by `decoding` alone. It must never enlarge a picture, and keeps few copies: pictures are large.
"""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageCms, TiffImagePlugin

_WHITE: Final = (255, 255, 255)
_STRIP_ROWS: Final = 256
_PROFILE_MODES: Final = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
_BITS_PER_SAMPLE: Final = 258
_PHOTOMETRIC: Final = 262
_WHITE_IS_ZERO: Final = 0


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB on white, in sRGB where a profile tells the colours; `image` may be used up."""
    profile = image.info.get("icc_profile")
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        image = _to_eight_bits(image)
    elif image.has_transparency_data or image.mode in {"La", "RGBa"}:
        image = _on_white(image)
    elif image.mode not in _PROFILE_MODES.values():
        image = image.convert("RGB")
    if profile:
        image = _by_profile(image, profile)
    if image.mode == "LAB":
        image = _from_lab(image)
    return image if image.mode == "RGB" else image.convert("RGB")


def shrink_to_rgb(image: Image.Image, factor: int) -> Image.Image:
    """As `to_rgb`, with sides divided by `factor` (rounded up): in strips, so that no large copy is made."""
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):  # their range is the whole picture's
        return to_rgb(image)
    small = Image.new("RGB", (-(-image.width // factor), -(-image.height // factor)))
    rows = max(1, _STRIP_ROWS // factor) * factor
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(to_rgb(strip).reduce(factor), (0, top // factor))
    return small


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Scale by the range of the samples, where Pillow's own conversion would clip at 255."""
    tags = image.tag_v2 if isinstance(image, TiffImagePlugin.TiffImageFile) else {}
    if image.mode.startswith("I;16"):
        low, high = 0.0, float(2 ** min(tags.get(_BITS_PER_SAMPLE, (16,))[0], 16) - 1)
    else:
        low, high = _range(image)
    if image.mode not in {"I;16", "I", "F"}:
        image = image.convert("I")
    scale = 255.0 / (high - low)
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        return image.point(lambda sample: sample * -scale + (255.0 + low * scale)).convert("L")
    return image.point(lambda sample: sample * scale + -low * scale).convert("L")


def _range(image: Image.Image) -> tuple[float, float]:
    """The range that a wide mode's samples live in: 16 bits, the unit interval, or what is there."""
    least, most = image.getextrema()
    if not isinstance(least, int | float) or not isinstance(most, int | float):
        return 0.0, 65535.0
    if image.mode == "I" and least >= 0 and most <= 65535:  # noqa: PLR2004 - sixteen bits in a wider mode
        return 0.0, 65535.0
    if image.mode == "F" and least >= 0 and most <= 1:
        return 0.0, 1.0
    return float(least), float(most) if most > least else float(least) + 1


def _on_white(image: Image.Image) -> Image.Image:
    """In strips, so that of a large picture there are two whole copies at most."""
    background = Image.new("RGB", image.size, _WHITE)
    for top in range(0, image.height, _STRIP_ROWS):
        box = (0, top, image.width, min(top + _STRIP_ROWS, image.height))
        strip = image.crop(box)
        if strip.mode == "La":
            strip = strip.convert("LA")
        if strip.mode != "RGBA":
            strip = strip.convert("RGBA")
        background.paste(strip.convert("RGB"), box, mask=strip.getchannel("A"))
    return background


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """The embedded profile's colours in sRGB; a profile that is damaged or of another mode says nothing."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILE_MODES.get(source.profile.xcolor_space.strip())
        if mode != image.mode or "sRGB" in ImageCms.getProfileDescription(source):
            return image
        target = ImageCms.createProfile("sRGB")
        if mode == "RGB":
            ImageCms.profileToProfile(image, source, target, inPlace=True)
            return image
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def _from_lab(image: Image.Image) -> Image.Image:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB") or image.convert("L")
