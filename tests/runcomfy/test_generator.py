"""The images of the local RunComfy."""

from __future__ import annotations

import hashlib
import io
import math
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image, ImageChops, ImageOps, ImageStat

from cogs.edit.form import STRONG, SUBTLE
from cogs.edit.instructions import INSTRUCTIONS as PRESETS
from cogs.edit.instructions import UPSCALE
from playground.runcomfy.generator import draw_landscape
from playground.runcomfy.input_files import InputPicture
from playground.runcomfy.outputs import image_size, output_size
from playground.runcomfy.rendering import render
from playground.runcomfy.requests import GenerationRequest

if TYPE_CHECKING:
    from playground.runcomfy.faults import Body

INSTRUCTIONS = (
    *("make it night", "winter, please", "a sunset", "сделай ночь", "black and white", "add a red balloon"),
    PRESETS[STRONG],
)
SIZE = (192, 128)


def input_picture(
    size: tuple[int, int] = SIZE, *, name: str = "image_urls", prompt: str = "a"
) -> InputPicture:
    draw_landscape(prompt, 1, 0, size).save(file := io.BytesIO(), "PNG")
    return InputPicture(name, "data:", file.getvalue())


def rendered(options: Body, *pictures: InputPicture, index: int = 0, kind: str = "png") -> Image.Image:
    request = GenerationRequest("test/edit", {}, options, 0.05, list(pictures))
    data = render(request, index, kind)
    assert render(request, index, kind) == data, "an address keeps its picture"
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == kind.upper()
        return image


def opened(picture: InputPicture) -> Image.Image:
    return Image.open(io.BytesIO(picture.data or b""))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return the mean difference of two pictures, from 0 to 255."""
    changes = ImageChops.difference(one.convert("RGB"), other.convert("RGB").resize(one.size))
    return sum(ImageStat.Stat(changes).mean) / 3


def similarity(one: Image.Image, other: Image.Image) -> float:
    """Return how alike two compositions are: 1 for equal up to brightness and contrast."""
    levels = [
        list(ImageOps.autocontrast(each.convert("L").resize((12, 8))).tobytes()) for each in (one, other)
    ]
    means = [sum(values) / len(values) for values in levels]
    one_, other_ = ([value - mean for value in values] for values, mean in zip(levels, means, strict=True))
    product = sum(a * b for a, b in zip(one_, other_, strict=True))
    return product / math.sqrt(sum(a * a for a in one_) * sum(b * b for b in other_))


@pytest.mark.parametrize(
    ("resolution", "aspect_ratio", "size"),
    [
        ("1K", "1:1", (1024, 1024)),
        ("0.5K", "1:1", (512, 512)),
        ("4K", "1:1", (4096, 4096)),
        ("1k", "16:9", (1368, 768)),
        ("2K", "9:16", (1536, 2728)),
        ("1K", "21:9", (1568, 672)),
    ],
)
def test_sizes(resolution: str, aspect_ratio: str, size: tuple[int, int]) -> None:
    assert image_size(resolution, aspect_ratio, "") == size


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({"width": 640, "height": 480}, (640, 480)),
        ({"image_size": "portrait_16_9"}, (576, 1024)),
        ({"size": "1024_1536", "resolution": "1K"}, (1024, 1536)),
        ({"size": "3:4"}, (888, 1184)),
        ({"ratio": "1:1", "resolution": "2k"}, (2048, 2048)),
        ({"aspect_ratio": "auto", "resolution": "2K"}, (2736, 1536)),
        ({"aspect_ratio": "1:1"}, (1024, 1024)),
        ({"resolution": "0.5K"}, (680, 384)),
    ],
)
def test_sizes_by_the_options_of_each_model(options: Body, size: tuple[int, int]) -> None:
    assert output_size(options, (1368, 768)) == size


def test_pictures_differ_by_prompt_seed_and_index_alone() -> None:
    inputs = [
        (prompt, seed, index) for prompt in ("a fox", "a cat") for seed in (0, 1, 2**31) for index in (0, 1)
    ]

    def digest(prompt: str, seed: int, index: int) -> bytes:
        return hashlib.sha256(draw_landscape(prompt, seed, index, (64, 48)).tobytes()).digest()

    pictures = [digest(*one) for one in inputs]
    assert len(set(pictures)) == len(inputs)
    assert [digest(*one) for one in inputs] == pictures


@pytest.mark.parametrize("seed", [{}, {"seed": -1}])
def test_pictures_without_a_seed_differ(seed: dict[str, int]) -> None:
    one, other = (rendered({"prompt": "a fox", "width": 64, "height": 48, **seed}) for _ in range(2))
    assert one.tobytes() != other.tobytes()


def test_4k_png_is_as_large_as_a_real_one() -> None:
    request = GenerationRequest("test/model", {}, {"resolution": "4K", "aspect_ratio": "1:1"}, 0.1, [])
    assert len(render(request, 0, "png")) > 10 * 2**20


@pytest.mark.parametrize("instruction", INSTRUCTIONS)
def test_edit_keeps_the_composition_and_changes_the_look(instruction: str) -> None:
    before = input_picture()
    after = rendered({"prompt": instruction, "seed": 7, "resolution": "0.5K"}, before)
    assert after.size == (624, 416)
    assert difference(after, opened(before)) > 10
    kept = ImageOps.mirror(after) if instruction == PRESETS[STRONG] else after
    assert similarity(kept, opened(before)) > 0.5
    again = rendered({"prompt": instruction, "seed": 8, "resolution": "0.5K"}, before)
    assert difference(after, again) > 0.1
    second = rendered({"prompt": instruction, "seed": 7, "resolution": "0.5K"}, before, index=1)
    assert difference(after, second) > 0.1


def test_night_is_dark_and_winter_is_bright() -> None:
    before = input_picture()
    night, winter = (
        ImageStat.Stat(
            rendered({"prompt": word, "seed": 7, "resolution": "0.5K"}, before).convert("RGB")
        ).mean
        for word in ("night", "winter")
    )
    assert sum(night) < sum(winter)
    assert night[2] > night[0]


def test_subtle_variation_changes_little() -> None:
    before = input_picture()
    after = rendered({"prompt": PRESETS[SUBTLE], "seed": 7, "resolution": "0.5K"}, before)
    assert 0.5 < difference(after, opened(before)) < 15


def test_upscale_only_enlarges() -> None:
    before = input_picture((680, 384))
    after = rendered({"prompt": PRESETS[UPSCALE], "seed": 7, "resolution": "1K"}, before)
    assert after.size == (1360, 768)
    assert difference(after.resize((680, 384)), opened(before)) < 3


def test_second_picture_is_at_the_border() -> None:
    pictures = input_picture(), InputPicture("image_urls", "data:", solid("red"))
    after = rendered({"prompt": "black and white", "seed": 7, "resolution": "0.5K"}, *pictures).convert("RGB")
    assert pixel(after, 2, 200)[0] > pixel(after, 2, 200)[1] + 100
    assert pixel(after, 300, 200)[0] < pixel(after, 300, 200)[1] + 30


def test_mask_limits_the_change() -> None:
    mask = Image.new("L", SIZE)
    mask.paste(255, (0, 0, SIZE[0] // 2, SIZE[1]))
    mask.save(file := io.BytesIO(), "PNG")
    before = input_picture()
    options = {"prompt": "make it night", "seed": 7, "width": SIZE[0], "height": SIZE[1]}
    after = rendered(options, before, InputPicture("mask_url", "data:", file.getvalue()))
    left, right = (0, 0, SIZE[0] // 2 - 8, SIZE[1]), (SIZE[0] // 2 + 8, 0, *SIZE)
    assert difference(after.crop(left), opened(before).crop(left)) > 10
    assert difference(after.crop(right), opened(before).crop(right)) < 8


@pytest.mark.parametrize(("kind", "mode"), [("png", "RGBA"), ("webp", "RGBA"), ("jpeg", "RGB")])
@pytest.mark.parametrize("pictures", [[], [input_picture()]])
def test_background_can_be_transparent(kind: str, mode: str, pictures: list[InputPicture]) -> None:
    options = {"prompt": "a fox", "background": "transparent", "width": 200, "height": 200}
    image = rendered(options, *pictures, kind=kind)
    assert image.mode == mode
    if mode == "RGBA":
        assert [pixel(image, *place)[3] for place in ((1, 1), (100, 100))] == [0, 255]


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "CMYK", "I;16"])
def test_inputs_of_any_mode(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (40, 30)).save(file := io.BytesIO(), kind)
    before = InputPicture("image", "data:", file.getvalue())
    assert rendered({"prompt": "night", "width": 40, "height": 30}, before).size == (40, 30)


def solid(color: str) -> bytes:
    Image.new("RGB", (30, 20), color).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    found: Any = image.getpixel((x, y))
    return tuple(found)
