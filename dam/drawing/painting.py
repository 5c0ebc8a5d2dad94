"""A scene as pixels, at any size: the same scene looks the same large and small.

Needs Pillow, numpy and the font Noto Color Emoji (Debian's `fonts-noto-color-emoji`). Called by the demo
(more pictures than the committed samples), by the script that made the samples, and by training.
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from dam.drawing.scenes import COLOURS, WIDTH
from dam.errors import DamError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dam.drawing.scenes import Background, Placed, Scene

FONT: Final = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
_GLYPH_SIZE: Final = 109  # the one size at which the font holds its bitmaps
_EMOJI: Final = 128  # their height in pixels
_CANVAS: Final = 176  # with room for the shadow


class FontMissingError(DamError):
    """The emoji font is not installed."""


def font_installed() -> bool:
    """Whether pictures can be drawn on this machine."""
    return FONT.is_file()


def paint(scene: Scene, height: int = 480) -> Image.Image:
    """Draw a scene.

    Args:
        scene: what to draw.
        height: in pixels; the width is 4/3 of it.

    Returns:
        An RGB picture.

    Raises:
        FontMissingError: the font is not installed.
    """
    picture = Image.fromarray(_paint_background(scene.background, round(height * WIDTH), height))
    for placed in scene.placed:
        _paint_object(picture, placed, height)
    return picture


def _paint_background(background: Background, width: int, height: int) -> NDArray[np.uint8]:
    """Colour, gradient or pattern as (height, width, 3) bytes."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    colour = np.array(COLOURS[background.colour], dtype=np.float32) * background.shade
    angle = background.turn * math.pi / 4
    along = (x - WIDTH / 2) * math.cos(angle) + (y - 0.5) * math.sin(angle)
    across = (y - 0.5) * math.cos(angle) - (x - WIDTH / 2) * math.sin(angle)
    pixels = np.broadcast_to(colour, (height, width, 3))
    if background.style == "gradient":
        light = np.clip(0.5 + along / 1.2, 0, 1)[..., None]
        pixels = (colour * 0.66) * (1 - light) + (colour * 0.45 + 255 * 0.55) * light
    elif background.style != "plain":
        pattern = _stripes if background.style == "stripes" else _dots
        ink = pattern(along, across, background.period, height)[..., None] * 0.5
        pixels = colour * (1 - ink) + 255 * ink
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _stripes(
    along: NDArray[np.float32], _across: NDArray[np.float32], period: float, height: int
) -> NDArray[np.float32]:
    """Light stripes, 0 to 1, with edges one pixel soft."""
    distance = np.abs(np.mod(along / period, 1) - 0.5) * period - period / 4
    soft: NDArray[np.float32] = np.clip(0.5 + distance * height, 0, 1)
    return soft


def _dots(
    along: NDArray[np.float32], across: NDArray[np.float32], period: float, height: int
) -> NDArray[np.float32]:
    """Light dots, 0 to 1, with edges one pixel soft."""
    u = (np.mod(along / period, 1) - 0.5) * period
    v = (np.mod(across / period, 1) - 0.5) * period
    soft: NDArray[np.float32] = np.clip(0.5 + (period * 0.27 - np.hypot(u, v)) * height, 0, 1)
    return soft


def _paint_object(picture: Image.Image, placed: Placed, height: int) -> None:
    """Scale, turn and paste one emoji with its shadow."""
    scale = placed.size * height / _EMOJI
    halvings = 1 if scale < 0.6 else 0  # noqa: PLR2004 - bicubic alone would alias below half size
    sprite = _sprite(placed.noun.glyph, halvings)
    scale *= 2**halvings
    side = math.ceil(sprite.width * scale * 1.1)
    left, top = placed.x * height - side / 2, placed.y * height - side / 2
    # The fraction of a pixel goes into the transform, so that small pictures are placed exactly too.
    cos, sin = (f(math.radians(placed.angle)) / scale for f in (math.cos, math.sin))
    middle_x, middle_y = side / 2 + left % 1, side / 2 + top % 1
    centre = sprite.width / 2
    turned = sprite.transform(
        (side + 1, side + 1),
        Image.Transform.AFFINE,
        (
            cos, sin, centre - cos * middle_x - sin * middle_y,
            -sin, cos, centre + sin * middle_x - cos * middle_y,
        ),
        Image.Resampling.BICUBIC,
    )  # fmt: skip
    picture.paste(turned, (math.floor(left), math.floor(top)), turned)


@cache
def _font() -> ImageFont.FreeTypeFont:
    """The font at its bitmaps' size."""
    if not font_installed():
        raise FontMissingError(
            f"Pictures cannot be drawn here: the font {FONT} is missing. On Debian: "
            "apt-get install fonts-noto-color-emoji"
        )
    return ImageFont.truetype(str(FONT), _GLYPH_SIZE)


@cache
def _sprite(glyph: str, halvings: int) -> Image.Image:
    """One emoji, centred, over its soft shadow; halved `halvings` times."""
    if halvings:
        return _sprite(glyph, halvings - 1).reduce(2)
    emoji = _cut_out(glyph)
    shadow = Image.new("RGBA", emoji.size, (30, 30, 50, 0))
    alpha = emoji.getchannel("A").point(lambda level: level * 0.38)
    shadow.putalpha(Image.new("L", emoji.size))
    moved = Image.new("L", emoji.size)
    moved.paste(alpha, (3, 6))
    shadow.putalpha(moved.filter(ImageFilter.GaussianBlur(5)))
    return Image.alpha_composite(shadow, emoji)


def _cut_out(glyph: str) -> Image.Image:
    """One emoji on nothing.

    On a transparent picture Pillow multiplies its soft edges by their alpha twice, so draw it on black and
    on white and compute what lies between.
    """
    drawn = []
    for shade in (0, 255):
        ground = Image.new("RGB", (_CANVAS, _CANVAS), (shade,) * 3)
        ImageDraw.Draw(ground).text(
            (_CANVAS / 2, _CANVAS / 2), glyph, font=_font(), embedded_color=True, anchor="mm"
        )
        drawn.append(np.asarray(ground, dtype=np.float32))
    on_black, on_white = drawn
    alpha = 255 - (on_white - on_black).mean(axis=2, keepdims=True)
    colour = on_black * 255 / np.maximum(alpha, 1)
    return Image.fromarray(np.concatenate([colour, alpha], axis=2).clip(0, 255).astype(np.uint8))
