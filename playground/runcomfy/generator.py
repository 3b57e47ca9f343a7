"""Draws a landscape from a prompt and a seed; equal input gives an equal image."""

from __future__ import annotations

import math
from random import Random
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from playground.runcomfy.outputs import Size

Color = tuple[int, int, int]
Points = list[tuple[float, float]]

SKETCH_PIXELS = 1024 * 1024  # larger images are drawn at this size and enlarged

# Four stops of the sky from its top to the horizon, the farthest and the nearest hill, the light.
PALETTES = (
    ("#2b1a4f", "#8b2f6b", "#f0665a", "#ffd08a", "#c8667f", "#1f1233", "#fff0c2"),  # sunset
    ("#0a1233", "#1b2f66", "#3f5fa0", "#9db8dc", "#6f8fc0", "#070d22", "#f4f7ff"),  # moonlight
    ("#3b6ea8", "#7fb4d9", "#f3d9c4", "#ffe9c9", "#a7b9c9", "#23404d", "#fffbe6"),  # morning
    ("#13233f", "#22586b", "#4fa08c", "#d9e8a6", "#6fae98", "#0c2224", "#fdfbd0"),  # northern
    ("#5a2a27", "#b3523a", "#ef9f54", "#ffe0a3", "#d98f5e", "#3a1714", "#fff3cf"),  # desert
    ("#2d2350", "#6a4c93", "#c67bb5", "#ffc6d0", "#a981c0", "#20163d", "#fff2f4"),  # lilac
    ("#0d2b45", "#1f5f7a", "#f08a5d", "#ffd9a0", "#5d8fa0", "#0a1c2b", "#ffe9b8"),  # harbour
)


def draw_landscape(prompt: str, seed: int | str, index: int, size: Size) -> Image.Image:
    """Draw a picture; the prompt selects the palette, seed and index the rest."""
    rng = Random(f"{prompt}/{seed}/{index}")
    colors = [_rgb(text) for text in Random(f"palette {prompt}").choice(PALETTES)]
    shrink = min(1.0, math.sqrt(SKETCH_PIXELS / (size[0] * size[1])))
    sketch = _landscape(rng, colors, (round(size[0] * shrink), round(size[1] * shrink)))
    return add_grain(rng, sketch.resize(size, Image.Resampling.BICUBIC) if shrink < 1 else sketch)


def _landscape(rng: Random, colors: list[Color], size: Size) -> Image.Image:
    width, height = size
    far, near, light = colors[4:]
    horizon = round(height * rng.uniform(0.56, 0.68))
    sun = (width * rng.uniform(0.22, 0.78), horizon * rng.uniform(0.42, 0.86))
    is_night = sum(colors[0]) < 180
    picture = _gradient(colors[:4], size, horizon)
    if is_night:
        draw_stars(rng, picture, horizon)
    draw_light(picture, sun, min(size) * rng.uniform(0.05, 0.09), light)
    _clouds(rng, picture, horizon, light)
    _hills(rng, picture, horizon, (far, _mix(far, near, 0.45), colors[3]))
    _water(rng, picture, horizon, sun[0], light)
    _shore(rng, picture, near)
    _birds(rng, picture, sun, near)
    return picture


def _gradient(stops: list[Color], size: Size, end: int) -> Image.Image:
    column = Image.new("RGB", (1, size[1]))
    for y in range(size[1]):
        place = min(y / end, 0.9999) ** 1.15 * (len(stops) - 1)
        column.putpixel((0, y), _mix(stops[int(place)], stops[int(place) + 1], place % 1))
    return column.resize(size)


def draw_stars(rng: Random, picture: Image.Image, horizon: int) -> None:
    """Draw stars above the horizon."""
    unit = max(1.0, min(picture.size) / 700)
    sky = Image.new("L", picture.size)
    draw = ImageDraw.Draw(sky)
    for _ in range(rng.randint(140, 260)):
        x, y = rng.uniform(0, picture.width), horizon * rng.random() ** 1.7
        r = unit * rng.choice((0.4, 0.5, 0.6, 0.9, 1.3))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=rng.randint(90, 255))
    picture.paste((255, 252, 240), mask=sky.filter(ImageFilter.GaussianBlur(unit * 0.4)))


def draw_light(picture: Image.Image, at: tuple[float, float], radius: float, light: Color) -> None:
    """Draw a sun or moon with its glow."""
    for reach, strength in ((11, 0.6), (3.5, 0.5)):
        side = round(radius * reach)
        # Pillow's gradient ends in the corners; the glow has to end at the edges, at 180.
        fade = [round(255 * strength * max(0, 1 - v / 180) ** 2) for v in range(256)]
        glow = Image.radial_gradient("L").point(fade).resize((side * 2, side * 2), Image.Resampling.BICUBIC)
        picture.paste(light, (round(at[0]) - side, round(at[1]) - side), glow)
    side = math.ceil(radius) + 1
    disc = Image.new("L", (side * 8, side * 8))
    ImageDraw.Draw(disc).circle((side * 4, side * 4), radius * 4, fill=255)
    picture.paste(
        _mix(light, (255, 255, 255), 0.4), (round(at[0]) - side, round(at[1]) - side), disc.reduce(4)
    )


def _clouds(rng: Random, picture: Image.Image, horizon: int, light: Color) -> None:
    width, height = picture.size
    sky = Image.new("L", (width // 2, height // 2))
    for _ in range(rng.randint(3, 6)):
        x, y = rng.uniform(0, width / 2), rng.uniform(0.08, 0.8) * horizon / 2
        for _ in range(rng.randint(8, 16)):
            w, h = width * rng.uniform(0.02, 0.1), height * rng.uniform(0.002, 0.009)
            dx, dy = rng.gauss(0, width * 0.06), rng.gauss(0, height * 0.008)
            ImageDraw.Draw(sky).ellipse(
                (x + dx - w, y + dy - h, x + dx + w, y + dy + h), fill=rng.randint(50, 150)
            )
    soft = sky.filter(ImageFilter.GaussianBlur(height / 220)).resize(picture.size)
    picture.paste(light, mask=soft.point([round(v * 0.6) for v in range(256)]))


def _hills(rng: Random, picture: Image.Image, horizon: int, colors: tuple[Color, Color, Color]) -> None:
    """Draw ridges from far to near, each darker and lower, with mist at its foot."""
    far, near, mist = colors
    width, height = picture.size
    count = rng.randint(3, 5)
    for layer in range(count):
        depth = layer / (count - 1)
        top = horizon - height * (0.24 - 0.17 * depth) * rng.uniform(0.8, 1.1)
        ridge = _ridge(rng, width, top, height * (0.085 - 0.045 * depth))
        crest = round(min(y for _, y in ridge))
        color = _mix(far, near, depth)
        body = Image.linear_gradient("L").resize((width, horizon - crest))
        slope = Image.composite(
            Image.new("RGB", body.size, _mix(color, mist, 0.5)), Image.new("RGB", body.size, color), body
        )
        mask = Image.new("L", (width * 2, height * 2))
        ImageDraw.Draw(mask).polygon(
            [(x * 2, y * 2) for x, y in [*ridge, (width, horizon), (0, horizon)]], fill=255
        )
        picture.paste(slope, (0, crest), mask.reduce(2).crop((0, crest, width, horizon)))


def _ridge(rng: Random, width: int, top: float, swing: float) -> Points:
    waves = [(swing / 1.9**n, rng.uniform(0.7, 1.5) * 1.9**n, rng.uniform(0, 7)) for n in range(6)]
    step = max(1, width // 256)
    xs = [*range(0, width, step), width]
    return [(x, top + sum(a * math.sin(6.28 * f * x / width + p) for a, f, p in waves)) for x in xs]


def _water(rng: Random, picture: Image.Image, horizon: int, sun_x: float, light: Color) -> None:
    """Mirror the upper half with waves that grow towards the viewer, and add the sun's reflection."""
    width, height = picture.size
    mirror = picture.crop((0, 0, width, horizon)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    deep = height - horizon
    phase = rng.uniform(0, 7)
    for row in range(deep):
        near = row / deep
        sway = round(width * 0.012 * near * math.sin(phase + 130 * math.sqrt(near + 0.02)))
        source = min(horizon - 1, round(row * 1.25))
        strip = mirror.crop((sway, source, width + sway, source + 1))
        picture.paste(mirror.crop((0, source, width, source + 1)), (0, horizon + row))
        picture.paste(strip.crop((max(0, -sway), 0, width - max(0, sway), 1)), (max(0, -sway), horizon + row))
    shade = Image.linear_gradient("L").resize((width, deep)).point([40 + v // 3 for v in range(256)])
    picture.paste((8, 12, 28), (0, horizon), shade)
    glitter = Image.new("L", (width, deep))
    draw = ImageDraw.Draw(glitter)
    for _ in range(deep // 2):
        near = rng.random() ** 1.4
        x, y = rng.gauss(sun_x, width * (0.012 + 0.05 * near)), deep * near
        w, h = width * rng.uniform(0.004, 0.02) * (0.5 + near), max(0.6, height * 0.0022 * near)
        draw.ellipse((x - w, y - h, x + w, y + h), fill=rng.randint(60, 220))
    picture.paste(light, (0, horizon), glitter.filter(ImageFilter.GaussianBlur(0.7)))


def _shore(rng: Random, picture: Image.Image, color: Color) -> None:
    """Draw a dark shore at the lower edge, with firs on one side."""
    width, height = picture.size
    ridge = _ridge(rng, width, height * rng.uniform(0.9, 0.95), height * 0.02)
    mask = Image.new("L", (width * 2, height * 2))
    draw = ImageDraw.Draw(mask)
    draw.polygon([(x * 2, y * 2) for x, y in [*ridge, (width, height), (0, height)]], fill=255)
    centre = rng.choice((0.12, 0.88))
    for _ in range(rng.randint(7, 13)):
        x, y = ridge[_near(rng, centre, len(ridge))]
        tall = height * rng.uniform(0.1, 0.27) * (1.1 - min(1, abs(x / width - centre) * 1.6))
        _fir(rng, draw, (x * 2, y * 2 + height * 0.02), tall * 2)
    picture.paste(color, mask=mask.reduce(2))


def _near(rng: Random, centre: float, count: int) -> int:
    return min(count - 1, max(0, round(rng.gauss(centre, 0.09) * count)))


def _fir(rng: Random, draw: ImageDraw.ImageDraw, foot: tuple[float, float], tall: float) -> None:
    x, y = foot
    tiers = rng.randint(6, 9)
    draw.rectangle((x - tall * 0.014, y - tall * 0.3, x + tall * 0.014, y + tall * 0.05), fill=255)
    for tier in range(tiers):
        low = y - tall * (0.1 + 0.86 * tier / tiers)
        wide = tall * 0.2 * (1 - tier / (tiers + 0.6)) * rng.uniform(0.85, 1.1)
        peak = min(low - tall * 0.17, low)
        draw.polygon([(x - wide, low), (x, peak), (x + wide, low), (x, low - tall * 0.03)], fill=255)


def _birds(rng: Random, picture: Image.Image, sun: tuple[float, float], color: Color) -> None:
    mask = Image.new("L", (picture.width * 2, picture.height * 2))
    draw = ImageDraw.Draw(mask)
    span = min(picture.size) * 0.02
    for _ in range(rng.randint(0, 5)):
        x, y = 2 * sun[0] + rng.gauss(0, span * 9), 2 * sun[1] * rng.uniform(0.5, 0.95)
        line = max(2, round(span / 5))
        draw.arc((x - span * 2, y - span * 0.5, x, y + span), 200, 340, fill=255, width=line)
        draw.arc((x, y - span * 0.5, x + span * 2, y + span), 200, 340, fill=255, width=line)
    picture.paste(color, mask=mask.reduce(2))


def add_grain(rng: Random, picture: Image.Image) -> Image.Image:
    """Add film grain, which hides the enlargement and gives files the size of photographs."""
    noise = Image.frombytes("L", picture.size, rng.randbytes(picture.width * picture.height))
    noise = noise.point([v // 26 for v in range(256)])
    return ImageChops.add(picture, Image.merge("RGB", (noise, noise, noise)), offset=-4)


def _mix(one: Color, other: Color, share: float) -> Color:
    r, g, b = (round(x + (y - x) * share) for x, y in zip(one, other, strict=True))
    return r, g, b


def _rgb(text: str) -> Color:
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)
