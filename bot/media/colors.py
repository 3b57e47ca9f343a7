"""Convert images of any mode to RGB or RGBA, with the colors that viewers show."""

from __future__ import annotations

import io

from PIL import ExifTags, Image, ImageCms, ImageOps

_PROFILE_SPACES = {"L": "GRAY", "CMYK": "CMYK", "RGB": "RGB "}
_SRGB_GAMMA = 2.2
_GAMMA_TOLERANCE = 0.05
_GAMMA_MIN, _GAMMA_MAX = 0.1, 10.0  # others turn the image black or white


def to_display_colors(image: Image.Image, orientation: int) -> tuple[Image.Image, bytes | None]:
    """Return an upright RGB or RGBA image, and its color profile if it needs one.

    An RGB profile is kept; gray and CMYK images with a profile are converted to sRGB.
    """
    colors, alpha = _split(image)
    profile = _usable_profile(image.info.get("icc_profile"), _PROFILE_SPACES[colors.mode])
    if profile and colors.mode != "RGB":
        colors, profile = _to_srgb(colors, profile), None
    return _upright(image, colors, alpha, orientation), profile


def to_srgb(image: Image.Image, orientation: int) -> Image.Image:
    """Return an upright RGB or RGBA image in sRGB, without any metadata."""
    colors, alpha = _split(image)
    if profile := _usable_profile(image.info.get("icc_profile"), _PROFILE_SPACES[colors.mode]):
        colors = _to_srgb(colors, profile)
    return _upright(image, colors, alpha, orientation)


def _upright(
    image: Image.Image, colors: Image.Image, alpha: Image.Image | None, orientation: int
) -> Image.Image:
    """Join the colors of an image with its alpha channel, and turn them upright."""
    colors = colors.convert("RGB")
    if table := _gamma_table(image):
        colors = colors.point(table * 3)
    if alpha:
        colors.putalpha(alpha)
    colors.info = {}
    colors.getexif()[ExifTags.Base.Orientation] = orientation
    ImageOps.exif_transpose(colors, in_place=True)
    return colors


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split an image into its colors, as L, RGB or CMYK, and its alpha channel unless it is opaque."""
    if image.mode.startswith("I"):
        return _split_16_bit(image)
    if image.mode == "CMYK":
        return image.copy(), None
    is_gray = image.mode in {"1", "L", "LA"}
    if not image.has_transparency_data:
        return image.convert("L" if is_gray else "RGB"), None
    whole = image if image.mode in {"LA", "RGBA"} else image.convert("LA" if is_gray else "RGBA")
    colors = whole.getchannel("L") if is_gray else whole.convert("RGB")
    return colors, whole.getchannel("A")


def _split_16_bit(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split a 16-bit gray image; `convert` would clip its values above 255 to white."""
    transparent = image.info.get("transparency")
    gray = image.point(lambda value: value / 257).convert("L")
    if not isinstance(transparent, int):
        return gray, None
    table = [0 if value == transparent else 255 for value in range(65_536)]
    return gray, image.convert("I").point(table, "L")


def _usable_profile(profile: bytes | None, space: str) -> bytes | None:
    """Return the profile if it is valid and for this color space."""
    if profile is None:
        return None
    try:
        found = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space
    except (OSError, ImageCms.PyCMSError):
        return None
    return profile if found == space else None


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        converted = ImageCms.profileToProfile(
            image, io.BytesIO(profile), ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except (OSError, ImageCms.PyCMSError):
        return image
    return converted or image


def _gamma_table(image: Image.Image) -> list[int]:
    """Return the sRGB value of each 8-bit sample of a PNG with a gamma, unless it is about that of sRGB."""
    gamma = image.info.get("gamma", 0)
    is_overridden = "srgb" in image.info or image.info.get("icc_profile")
    exponent = gamma * _SRGB_GAMMA
    if is_overridden or not _GAMMA_MIN <= gamma <= _GAMMA_MAX or abs(exponent - 1) <= _GAMMA_TOLERANCE:
        return []
    return [round(255 * (value / 255) ** (1 / exponent)) for value in range(256)]
