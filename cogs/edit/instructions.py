"""The fixed instructions of Vary and Upscale; people see the texts `preset-...` instead."""

from typing import Final

from cogs.edit.form import STRONG, SUBTLE

UPSCALE: Final = "upscale"

INSTRUCTIONS: Final = {
    SUBTLE: (
        "Create a slightly different version of this image. Keep the subject, composition, style, colors and "
        "lighting. Change only small details, such as textures, poses and background elements."
    ),
    STRONG: (
        "Create a clearly different version of this image with the same subject, mood and style. Change the "
        "composition, the pose, the camera angle and the background."
    ),
    UPSCALE: (
        "Reproduce this exact image in higher resolution. Keep the content, composition, colors and style "
        "unchanged. Do not add, remove or move anything. Only sharpen edges and render fine details."
    ),
}
"""By `Job.preset`."""
