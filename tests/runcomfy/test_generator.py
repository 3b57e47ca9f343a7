"""The images of the local RunComfy."""

from __future__ import annotations

import hashlib

import pytest

from playground.runcomfy.generator import generate_image
from playground.runcomfy.outputs import image_size


@pytest.mark.parametrize(
    ("resolution", "aspect_ratio", "size"),
    [
        ("1K", "1:1", (1024, 1024)),
        ("0.5K", "1:1", (512, 512)),
        ("4K", "1:1", (4096, 4096)),
        ("1K", "16:9", (1368, 768)),
        ("2K", "9:16", (1536, 2728)),
        ("1K", "21:9", (1568, 672)),
    ],
)
def test_sizes(resolution: str, aspect_ratio: str, size: tuple[int, int]) -> None:
    assert image_size(resolution, aspect_ratio, "") == size


def test_pictures_differ_by_prompt_seed_and_index_alone() -> None:
    inputs = [
        (prompt, seed, index) for prompt in ("a fox", "a cat") for seed in (0, 1, 2**31) for index in (0, 1)
    ]
    pictures = [hashlib.sha256(generate_image(*one, (64, 48), "png")).digest() for one in inputs]
    assert len(set(pictures)) == len(inputs)
    assert [hashlib.sha256(generate_image(*one, (64, 48), "png")).digest() for one in inputs] == pictures


def test_4k_png_is_as_large_as_a_real_one() -> None:
    assert len(generate_image("a fox", 1, 0, image_size("4K", "1:1", ""), "png")) > 10 * 2**20
