"""A request's pictures as files: a landscape, or a change of the pictures that went in."""

from __future__ import annotations

import io
from random import Random
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from playground.runcomfy.edits import cut_out, edit_picture
from playground.runcomfy.generator import draw_landscape
from playground.runcomfy.outputs import output_size

if TYPE_CHECKING:
    from playground.runcomfy.requests import GenerationRequest


def render(generation: GenerationRequest, index: int, kind: str) -> bytes:
    """Return the file of a request's picture; the same arguments give the same bytes."""
    options = generation.options
    prompt, seed = str(options.get("prompt", "")), options.get("seed")
    if not isinstance(seed, int) or seed < 0:
        seed = generation.request_id  # the model has no seed, or -1 for a random one
    masks = [each.data for each in generation.pictures if each.data and "mask" in each.property]
    inputs = [each.data for each in generation.pictures if each.data and "mask" not in each.property]
    if inputs:
        pictures = [_open(data) for data in inputs[:2]]
        mask = _open(masks[0]) if masks else None
        rng = Random(f"{prompt}/{seed}/{index}")
        picture = edit_picture(pictures, mask, prompt, rng, output_size(options, pictures[0].size))
    else:
        picture = draw_landscape(prompt, seed, index, output_size(options))
    if options.get("background") == "transparent":
        picture = cut_out(picture)
    return _encode(picture, kind)


def _open(data: bytes) -> Image.Image:
    with Image.open(io.BytesIO(data)) as image:
        upright = ImageOps.exif_transpose(image)
    if upright.mode == "RGB":
        return upright
    layer = upright.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")


def _encode(picture: Image.Image, kind: str) -> bytes:
    file = io.BytesIO()
    has_alpha = kind != "jpeg" and picture.mode == "RGBA"
    picture = picture if has_alpha else picture.convert("RGB")
    picture.save(file, kind.upper(), compress_level=1, quality=92, method=2)
    return file.getvalue()
