"""Shrunk copies of unusual images look like the originals; expected colors are computed independently."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import pytest
from PIL import Image, ImageCms

from bot.media.images import shrink_to_fit
from tests.image_files import chunk, display_p3, jpeg_with, png, profile, tag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Color: TypeAlias = tuple[int, int, int, int]  # red, green, blue, alpha; 0 to 255

PATCH, ACROSS = 32, 4
PADDING = bytes(60_000)  # after the pixels, so that a small image exceeds the limit
TOLERANCE = 12  # WebP loses a little


def patches(samples: list[tuple[int, ...]]) -> list[list[tuple[int, ...]]]:
    """Rows of pixels: a square patch for each of 16 samples."""
    return [
        [samples[y // PATCH * ACROSS + x // PATCH] for x in range(ACROSS * PATCH)]
        for y in range(ACROSS * PATCH)
    ]


async def copied(path: Path, data: bytes) -> Image.Image:
    await asyncio.to_thread(path.write_bytes, data + PADDING)
    fitted = await shrink_to_fit(path, len(data) + len(PADDING) - 1)
    assert fitted.copy
    with Image.open(fitted.path) as image:
        image.load()
    assert image.format == "WEBP"
    return image


def shown(image: Image.Image) -> list[Color]:
    """The color in the middle of each patch."""
    whole = image.convert("RGBA")
    found = []
    for y, x in product(range(ACROSS), repeat=2):
        pixel = whole.getpixel((x * PATCH + PATCH // 2, y * PATCH + PATCH // 2))
        assert isinstance(pixel, tuple)
        found.append((pixel[0], pixel[1], pixel[2], pixel[3]))
    return found


def check(image: Image.Image, expected: list[Color]) -> None:
    assert image.size == (ACROSS * PATCH, ACROSS * PATCH)
    for seen, wanted in zip(shown(image), expected, strict=True):
        assert abs(seen[3] - wanted[3]) <= 1, (seen, wanted)
        if wanted[3]:  # a transparent pixel has no color
            assert all(abs(a - b) <= TOLERANCE for a, b in zip(seen, wanted, strict=True)), (seen, wanted)


def scaled(value: int, depth: int) -> int:
    return round(value * 255 / ((1 << depth) - 1))


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("is_one_transparent", [False, True])
async def test_gray(tmp_path: Path, depth: int, *, is_one_transparent: bool) -> None:
    top = 2**depth - 1
    samples = [round(index * top / 15) for index in range(16)]
    hidden = samples[5]
    before = chunk(b"tRNS", struct.pack(">H", hidden)) if is_one_transparent else b""
    data = png(patches([(sample,) for sample in samples]), color=0, depth=depth, before=before)
    expected = [
        (*(scaled(sample, depth),) * 3, 0 if is_one_transparent and sample == hidden else 255)
        for sample in samples
    ]
    check(await copied(tmp_path / "1.png", data), expected)


@pytest.mark.parametrize("depth", [8, 16])
async def test_gray_with_alpha(tmp_path: Path, depth: int) -> None:
    top = 2**depth - 1
    samples = [(round(index * top / 15), top if index % 3 else top // 2) for index in range(16)]
    data = png(patches([*samples]), color=4, depth=depth)
    expected = [(*(scaled(gray, depth),) * 3, scaled(alpha, depth)) for gray, alpha in samples]
    image = await copied(tmp_path / "1.png", data)
    assert [color[3] for color in shown(image)] == pytest.approx([color[3] for color in expected], abs=1)
    check(image, expected)


RAINBOW = [((index * 61) % 256, (index * 113) % 256, (index * 199) % 256) for index in range(16)]


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("is_one_transparent", [False, True])
async def test_rgb(tmp_path: Path, depth: int, *, is_one_transparent: bool) -> None:
    factor = 257 if depth == 16 else 1
    samples = [tuple(value * factor for value in color) for color in RAINBOW]
    before = chunk(b"tRNS", struct.pack(">HHH", *samples[5])) if is_one_transparent else b""
    data = png(patches(samples), color=2, depth=depth, before=before)
    expected = [
        (*color, 0 if is_one_transparent and index == 5 else 255) for index, color in enumerate(RAINBOW)
    ]
    check(await copied(tmp_path / "1.png", data), expected)


@pytest.mark.parametrize("depth", [8, 16])
async def test_rgb_with_alpha(tmp_path: Path, depth: int) -> None:
    factor = 257 if depth == 16 else 1
    alphas = [255 if index % 2 else 0 for index in range(16)]
    samples = [
        tuple(value * factor for value in (*color, alpha))
        for color, alpha in zip(RAINBOW, alphas, strict=True)
    ]
    expected = [(*color, alpha) for color, alpha in zip(RAINBOW, alphas, strict=True)]
    check(await copied(tmp_path / "1.png", png(patches(samples), color=6, depth=depth)), expected)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("alphas", [b"", b"\0", b"\xff\0", b"\x80\xff\0"])
async def test_palette(tmp_path: Path, depth: int, alphas: bytes) -> None:
    palette = RAINBOW[: 2**depth]
    before = chunk(b"PLTE", bytes(value for color in palette for value in color))
    before += chunk(b"tRNS", alphas[: len(palette)]) if alphas else b""
    samples = [(index % len(palette),) for index in range(16)]
    opaque = alphas.ljust(16, b"\xff")
    expected = [(*palette[sample], opaque[sample]) for (sample,) in samples]
    check(
        await copied(tmp_path / "1.png", png(patches([*samples]), color=3, depth=depth, before=before)),
        expected,
    )


async def test_gamma_is_applied(tmp_path: Path) -> None:
    """Linear samples look far too dark without a gamma correction."""
    data = png(patches([*RAINBOW]), color=2, before=chunk(b"gAMA", struct.pack(">I", 100_000)))
    expected = [(*(round(255 * (value / 255) ** (1 / 2.2)) for value in color), 255) for color in RAINBOW]
    check(await copied(tmp_path / "1.png", data), [(r, g, b, a) for r, g, b, a in expected])


@pytest.mark.parametrize("gamma", [1, 500, 45_455_000, 2**32 - 1])
async def test_extreme_gamma_is_ignored(tmp_path: Path, gamma: int) -> None:
    before = chunk(b"gAMA", struct.pack(">I", gamma))
    data = png(patches([*RAINBOW]), color=2, before=before)
    check(await copied(tmp_path / "1.png", data), [(*color, 255) for color in RAINBOW])


async def test_gamma_close_to_srgb_changes_nothing(tmp_path: Path) -> None:
    before = chunk(b"gAMA", struct.pack(">I", 45_455))
    check(
        await copied(tmp_path / "1.png", png(patches([*RAINBOW]), color=2, before=before)),
        [(*color, 255) for color in RAINBOW],
    )


# Inks of 0 to 255, and the color that browsers show for each without a profile.
INKS = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 128)]
INK_COLORS = [(255, 255, 255), (0, 255, 255), (255, 0, 255), (255, 255, 0), (0, 0, 0), (127, 127, 127)]


def cmyk(**options: object) -> bytes:
    """A CMYK JPEG with inverted inks, as Adobe's programs write it."""
    inks = [INKS[index % len(INKS)] for index in range(16)]
    image = Image.new("CMYK", (ACROSS * PATCH, ACROSS * PATCH))
    image.putdata([pixel for row in patches([*inks]) for pixel in row])
    image.save(file := io.BytesIO(), "JPEG", quality=100, subsampling=0, **options)
    return file.getvalue()


def ycck() -> bytes:
    """The same inks as YCCK: transform 2 in Adobe's segment."""
    inks = [INKS[index % len(INKS)] for index in range(16)]
    rows = patches([*inks])
    # YCCK stores YCbCr of the inks and inverted black; Pillow inverts what it saves.
    colors = Image.new("RGB", (ACROSS * PATCH, ACROSS * PATCH))
    colors.putdata([(c, m, y) for row in rows for c, m, y, _ in row])
    black = Image.new("L", colors.size)
    black.putdata([k for row in rows for _, _, _, k in row])
    luma = [each.point([255 - value for value in range(256)]) for each in colors.convert("YCbCr").split()]
    merged = Image.merge("CMYK", [*luma, black])
    merged.save(file := io.BytesIO(), "JPEG", quality=100, subsampling=0)
    data = file.getvalue()
    at = data.index(b"Adobe")
    return data[: at + 11] + b"\2" + data[at + 12 :]


@pytest.mark.parametrize("make", [cmyk, ycck])
async def test_cmyk(tmp_path: Path, make: Callable[[], bytes]) -> None:
    expected = [(*INK_COLORS[index % len(INKS)], 255) for index in range(16)]
    check(await copied(tmp_path / "1.jpg", make()), [(r, g, b, a) for r, g, b, a in expected])


def ink_profile() -> bytes:
    """A profile in which every ink only makes the paper darker, never colored."""
    grid = b"".join(
        bytes([255 - 60 * sum(inks), 128, 128]) for inks in product((0, 1), repeat=4)
    )  # L*a*b* with neutral a* and b*
    identity = b"".join(struct.pack(">9i", *(0x10000 * (index % 4 == 0) for index in range(9))) for _ in "1")
    curve = bytes(range(256))
    body = bytes([4, 3, 2, 0]) + identity + curve * 4 + grid + curve * 3
    return profile(b"CMYK", b"Lab ", b"prtr", {b"A2B0": tag(b"mft1", body)})


def in_srgb(lightness: float) -> int:
    """Convert L* of 0 to 100 to a gray in sRGB."""
    f = (lightness + 16) / 116
    light = f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29)
    value = 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055
    return round(255 * value)


async def test_cmyk_profile_is_applied(tmp_path: Path) -> None:
    data = cmyk(icc_profile=ink_profile())
    grays = [in_srgb((255 - 60 * sum(inks) / 255) / 2.55) for inks in INKS]
    grays[0] = 255
    expected = [(*(grays[index % len(INKS)],) * 3, 255) for index in range(16)]
    check(await copied(tmp_path / "1.jpg", data), [(r, g, b, a) for r, g, b, a in expected])


async def test_gray_profile_is_applied(tmp_path: Path) -> None:
    """A profile with gamma 1, that is linear samples."""
    linear = profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": tag(b"curv", struct.pack(">IH", 1, 0x100))})
    packed = b"gray\0\0" + zlib.compress(linear)
    samples = [index * 17 for index in range(16)]
    data = png(patches([(sample,) for sample in samples]), color=0, before=chunk(b"iCCP", packed))

    def srgb(light: float) -> int:
        return round(255 * (12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055))

    expected = [(*(srgb(sample / 255),) * 3, 255) for sample in samples]
    check(await copied(tmp_path / "1.png", data), [(r, g, b, a) for r, g, b, a in expected])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_rgb_profile_is_kept(tmp_path: Path, kind: str) -> None:
    image = Image.new("RGB", (ACROSS * PATCH, ACROSS * PATCH))
    image.putdata([pixel for row in patches([*RAINBOW]) for pixel in row])
    image.save(file := io.BytesIO(), kind, icc_profile=display_p3(), quality=100, subsampling=0)
    copy = await copied(tmp_path / "1", file.getvalue())
    assert copy.info["icc_profile"] == display_p3()
    check(copy, [(*color, 255) for color in RAINBOW])
    opened = ImageCms.ImageCmsProfile(io.BytesIO(copy.info["icc_profile"]))
    assert opened.profile.xcolor_space == "RGB "


@pytest.mark.parametrize("invalid", [b"junk", b"", b"\0" * 128, ink_profile(), display_p3()[:200]])
async def test_invalid_profile_is_dropped(tmp_path: Path, invalid: bytes) -> None:
    data = jpeg_with((0xE2, b"ICC_PROFILE\0\1\1" + invalid))
    assert "icc_profile" not in (await copied(tmp_path / "1.jpg", data)).info


TURNS = {1: "AB/CD", 2: "BA/DC", 3: "DC/BA", 4: "CD/AB", 5: "AC/BD", 6: "CA/DB", 7: "DB/CA", 8: "BD/AC"}
"""Where the quarters of an image are shown for each EXIF orientation."""


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
async def test_rotated_photo_becomes_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    grays = {"A": 0, "B": 80, "C": 160, "D": 240}
    image = Image.new("RGB", (128, 128))
    for (y, x), gray in zip(product((0, 64), repeat=2), grays.values(), strict=True):
        image.paste((gray,) * 3, (x, y, x + 64, y + 64))
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(file := io.BytesIO(), kind, exif=exif, quality=100)
    turned = shown(await copied(tmp_path / "1", file.getvalue()))
    quarters = [turned[index][0] for index in (0, 3, 12, 15)]
    assert quarters == pytest.approx(
        [grays[each] for each in TURNS[orientation].replace("/", "")], abs=TOLERANCE
    )


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP"])
async def test_animation_stays_animated(tmp_path: Path, kind: str) -> None:
    colors = [(250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 0)]
    frames = [Image.new("RGB", (ACROSS * PATCH, ACROSS * PATCH), color) for color in colors]
    frames[0].save(
        file := io.BytesIO(),
        kind,
        save_all=True,
        append_images=frames[1:],
        duration=[100, 200, 300, 400],
        loop=0,
    )
    path = tmp_path / "1"
    path.write_bytes(file.getvalue() + PADDING)
    fitted = await shrink_to_fit(path, len(PADDING))
    assert fitted.copy
    assert fitted.copy.original_format == kind.lower()
    with Image.open(fitted.path) as copy:
        assert getattr(copy, "n_frames", 1) == len(colors)
        assert copy.info["loop"] == 0
        durations = []
        for number, color in enumerate(colors):
            copy.seek(number)
            check(copy, [(*color, 255)] * 16)
            durations.append(copy.info["duration"])
    assert durations == [100, 200, 300, 400]


@pytest.mark.parametrize(("repeats", "plays"), [(None, 1), (0, 0), (2, 3)])
async def test_gif_keeps_its_loop_count(tmp_path: Path, repeats: int | None, plays: int) -> None:
    frames = [Image.new("L", (64, 64), gray) for gray in (0, 255)]
    loop = {} if repeats is None else {"loop": repeats}
    frames[0].save(file := io.BytesIO(), "GIF", save_all=True, append_images=frames[1:], duration=0, **loop)
    copy = await copied(tmp_path / "1.gif", file.getvalue())
    assert (copy.info["loop"], copy.info["duration"]) == (plays, 100)


async def test_separate_default_image_is_not_a_frame(tmp_path: Path) -> None:
    """An animated PNG can have a separate still image for viewers without animation."""
    still, *frames = (Image.new("RGB", (128, 128), color) for color in ("white", "red", "blue"))
    still.save(
        file := io.BytesIO(), "PNG", save_all=True, append_images=frames, default_image=True, duration=100
    )
    copy = await copied(tmp_path / "1.png", file.getvalue())
    assert getattr(copy, "n_frames", 1) == 2
    check(copy, [(254, 0, 0, 255)] * 16)


async def test_transparent_color_of_a_gif(tmp_path: Path) -> None:
    frames = []
    for shift in (0, 1):
        frame = Image.new("P", (ACROSS * PATCH, ACROSS * PATCH))
        frame.putpalette([value for color in RAINBOW for value in color])
        rows = patches([((index + shift) % 16,) for index in range(16)])
        frame.putdata([sample for row in rows for (sample,) in row])
        frames.append(frame)
    frames[0].save(
        file := io.BytesIO(), "GIF", save_all=True, append_images=frames[1:], transparency=5, disposal=2
    )
    copy = await copied(tmp_path / "1.gif", file.getvalue())
    for shift in (0, 1):
        copy.seek(shift)
        samples = [(index + shift) % 16 for index in range(16)]
        check(copy, [(*RAINBOW[sample], 255 * (sample != 5)) for sample in samples])


@pytest.mark.parametrize("options", [{"keep_rgb": True}, {"progressive": True}, {"subsampling": 2}])
async def test_jpeg(tmp_path: Path, options: dict[str, object]) -> None:
    """An RGB JPEG is marked as such in Adobe's segment only."""
    image = Image.new("RGB", (ACROSS * PATCH, ACROSS * PATCH))
    image.putdata([pixel for row in patches([*RAINBOW]) for pixel in row])
    image.save(file := io.BytesIO(), "JPEG", quality=98, **options)
    check(await copied(tmp_path / "1.jpg", file.getvalue()), [(*color, 255) for color in RAINBOW])
