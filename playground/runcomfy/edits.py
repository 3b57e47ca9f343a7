"""Changes a picture as an instruction says, in a few simple ways; equal input gives an equal image."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from playground.runcomfy.generator import PALETTES, SKETCH_PIXELS, add_grain, draw_light, draw_stars

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from playground.runcomfy.outputs import Size


class _Style(NamedTuple):
    """The colors of a picture's shadows, midtones and lights, and how much of them it takes."""

    dark: str
    middle: str
    light: str
    share: float


_NIGHT = _Style("#03071a", "#1d2f5c", "#a9c0ea", 0.88)
_DUSK = _Style("#1f1233", "#b8496a", "#ffd9a0", 0.75)
_SNOW = _Style("#33475c", "#b9c9d6", "#ffffff", 0.8)
_GRAY = _Style("#000000", "#808080", "#ffffff", 1.0)

# In English and Russian, as the beginnings of words.
_UPSCALE = re.compile(r"\b(upscal|enlarg|higher resolution|увелич|разрешени)", re.IGNORECASE)
_SUBTLE = re.compile(r"\b(subtl|slight|minor|слегка|небольш)", re.IGNORECASE)
_STRONG = re.compile(r"\b(variation|different version|вариаци)", re.IGNORECASE)
_STYLES = (
    (re.compile(r"\b(night|moon|ноч|лун)", re.IGNORECASE), _NIGHT),
    (re.compile(r"\b(dusk|sunset|evening|закат|вечер|сумерк)", re.IGNORECASE), _DUSK),
    (re.compile(r"\b(snow|winter|снег|снеж|зим)", re.IGNORECASE), _SNOW),
    (re.compile(r"\b(gr[ae]y|black[ -]and[ -]white|pencil|sketch|ч[её]рно|карандаш)", re.IGNORECASE), _GRAY),
)


def edit_picture(
    pictures: Sequence[Image.Image], mask: Image.Image | None, instruction: str, rng: Random, size: Size
) -> Image.Image:
    """Return the first picture at this size, cropped to its ratio and changed where the mask is white.

    A second picture becomes a soft border around it.
    """
    first = pictures[0]
    if _UPSCALE.search(instruction):
        return ImageOps.fit(first, size, Image.Resampling.BICUBIC)
    if _SUBTLE.search(instruction):
        return _tint(rng, ImageOps.fit(first, size, Image.Resampling.BICUBIC))
    shrink = min(1.0, math.sqrt(SKETCH_PIXELS / (size[0] * size[1])))
    sketch = ImageOps.fit(first, (round(size[0] * shrink), round(size[1] * shrink)))
    changed = _change(sketch, instruction, rng)
    if len(pictures) > 1:
        changed = Image.composite(changed, ImageOps.fit(pictures[1], sketch.size), _frame(sketch.size))
    if mask:
        changed = Image.composite(changed, sketch, ImageOps.fit(mask.convert("L"), sketch.size))
    return add_grain(rng, changed.resize(size, Image.Resampling.BICUBIC) if shrink < 1 else changed)


def cut_out(picture: Image.Image) -> Image.Image:
    """Return the picture with a transparent background: what is not near its middle."""
    gradient = Image.radial_gradient("L").point([max(0, min(255, (150 - v) * 8)) for v in range(256)])
    result = picture.convert("RGB")
    result.putalpha(gradient.resize(picture.size, Image.Resampling.BICUBIC))
    return result


def _tint(rng: Random, picture: Image.Image) -> Image.Image:
    """Move each color a little."""
    shifts = [rng.randint(-10, 10) for _ in range(3)]
    return picture.point([max(0, min(255, value + shift)) for shift in shifts for value in range(256)])


def _change(picture: Image.Image, instruction: str, rng: Random) -> Image.Image:
    if _STRONG.search(instruction):
        return _recolor(ImageOps.mirror(picture), _any_style(rng))
    style = next((style for words, style in _STYLES if words.search(instruction)), None)
    changed = _recolor(picture, style or _any_style(rng))
    if style is _NIGHT:
        draw_stars(rng, changed, changed.height * 2 // 3)
    if style is _SNOW:
        _draw_flakes(rng, changed)
    if style in {None, _NIGHT}:
        place = changed.width * rng.uniform(0.2, 0.8), changed.height * rng.uniform(0.14, 0.3)
        draw_light(changed, place, min(changed.size) * rng.uniform(0.05, 0.08), (255, 244, 214))
    return changed


def _any_style(rng: Random) -> _Style:
    palette = rng.choice(PALETTES)
    return _Style(palette[5], palette[rng.choice((1, 2, 4))], palette[6], rng.uniform(0.6, 0.75))


def _recolor(picture: Image.Image, style: _Style) -> Image.Image:
    colors = ImageOps.colorize(picture.convert("L"), style.dark, style.light, style.middle)
    return Image.blend(picture, colors, style.share)


def _draw_flakes(rng: Random, picture: Image.Image) -> None:
    unit = min(picture.size) / 300
    flakes = Image.new("L", picture.size)
    draw = ImageDraw.Draw(flakes)
    for _ in range(400):
        x, y, r = rng.uniform(0, picture.width), rng.uniform(0, picture.height), unit * rng.uniform(0.4, 1.6)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=rng.randint(120, 255))
    picture.paste((255, 255, 255), mask=flakes.filter(ImageFilter.GaussianBlur(unit / 3)))


def _frame(size: Size) -> Image.Image:
    """Return a mask that is black at the edges and white from a tenth of the shorter side on."""
    edge = min(size) / 10
    across, down = (
        bytes(round(255 * min(1.0, min(at, side - 1 - at) / edge)) for at in range(side)) for side in size
    )
    row = Image.frombytes("L", (size[0], 1), across).resize(size)
    return ImageChops.darker(row, Image.frombytes("L", (1, size[1]), down).resize(size))
