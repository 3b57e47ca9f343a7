"""Separate the pixels of an image file from its metadata.

Pillow rejects a whole file because of a text chunk that decompresses to too much, a wrong checksum in a
comment or an invalid EXIF block. This module walks the chunks of a PNG, JPEG or WebP file and passes only
those to the decoder that define pixels. Of the rest, it reads the EXIF orientation, the gamma and the color
profile, which is decompressed to at most 4 MiB.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

from bot.media.spliced_file import open_spliced, read_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.media.spliced_file import Part

Format: TypeAlias = Literal["png", "jpeg", "webp", "gif"]

_METADATA_MAX = 4 * 2**20
_CHUNKS_MAX = 200_000  # 64 MiB in chunks of 335 bytes
_ORIENTATION_TAG = 0x0112
_SHORT = 3  # the TIFF type of an orientation

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_CRITICAL = {b"IHDR", b"PLTE", b"IDAT"}
_PNG_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_PNG_READ = {b"tRNS", b"acTL", b"fcTL", b"iCCP", b"gAMA", b"sRGB", b"eXIf"}
_PNG_LENGTHS = {b"acTL": 8, b"fcTL": 26}
_GAMMA_MIN, _GAMMA_MAX = 0.1, 10.0  # others turn the image black or white
_PNG_GRAY, _PNG_RGB, _PNG_PALETTE = 0, 2, 3
_WEBP_PIXELS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
_WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04  # ICC profile, EXIF, XMP
_JPEG_STANDALONE = {0x01, *range(0xD0, 0xD9)}
_JPEG_START_OF_SCAN, _JPEG_END = 0xDA, 0xD9


@dataclass(slots=True)
class Metadata:
    """Metadata that changes how pixels look, with neutral values if it is missing or invalid."""

    icc_profile: bytes | None = None
    orientation: int = 1
    """The EXIF orientation, 1 to 8."""
    gamma: float | None = None
    """The gAMA chunk of a PNG without a profile: samples are light intensities to the power of this."""


@dataclass(frozen=True, slots=True)
class Container:
    """An image file without its metadata."""

    format: Format
    pixels: BinaryIO
    metadata: Metadata
    webp_size: tuple[int, int] | None = None
    """Width and height of a WebP canvas; libwebp allocates memory for it before it reports them."""


def read_container(file: BinaryIO) -> Container:
    """Read the container of an open file, which must stay open while its pixels are decoded.

    Raises:
        ValueError: The file is not a PNG, JPEG, WebP or GIF image, or has more than 200,000 chunks.
    """
    head = file.read(30)
    metadata = Metadata()
    if head.startswith(_PNG_MAGIC):
        return Container("png", open_spliced(file, _png(file, metadata)), metadata)
    if head.startswith(b"\xff\xd8\xff"):
        return Container("jpeg", open_spliced(file, _jpeg(file, metadata)), metadata)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Container("webp", open_spliced(file, _webp(file, metadata)), metadata, _webp_size(head))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return Container("gif", file, metadata)
    raise ValueError("no png, jpeg, webp or gif image")


def _size(file: BinaryIO) -> int:
    return file.seek(0, io.SEEK_END)


def _png(file: BinaryIO, metadata: Metadata) -> list[Part]:
    parts: list[tuple[bytes, Part]] = []
    is_animation_whole, has_srgb = True, False
    color, depth = _PNG_GRAY, 8
    end, size = _PNG_END, _size(file)
    for kind, start, length in _png_chunks(file):
        part: Part = (start, length + 12)
        if kind in _PNG_READ:
            body = _png_body(file, kind, start, length)
            if body is None:
                is_animation_whole &= kind not in _PNG_ANIMATION
                continue
            has_srgb |= kind == b"sRGB"
            _read_png_metadata(metadata, kind, body)
            if kind == b"tRNS":
                part = _png_chunk(kind, _transparency_for_pillow(body, color, depth))
        elif kind == b"IHDR":
            depth, color = read_at(file, start + 16, 2).ljust(2, b"\0")
        if kind in _PNG_CRITICAL | _PNG_ANIMATION | {b"tRNS"}:
            parts.append((kind, part))
            # After truncated pixels, an end would let the decoder accept them.
            end = _PNG_END if start + length + 12 <= size else b""
    if has_srgb or metadata.icc_profile:
        metadata.gamma = None
    kept = [part for kind, part in parts if is_animation_whole or kind not in _PNG_ANIMATION]
    return [_PNG_MAGIC, *kept, end]


def _png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield the type, offset and body length of each chunk before IEND; the last one can be truncated."""
    start = len(_PNG_MAGIC)
    for _ in range(_CHUNKS_MAX):
        head = read_at(file, start, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < 8 or not kind.isalpha() or kind == b"IEND":
            return
        yield kind, start, length
        start += length + 12
    raise ValueError("too many chunks")


def _png_body(file: BinaryIO, kind: bytes, start: int, length: int) -> bytes | None:
    """Read the body of a chunk, or return None if it is invalid."""
    if not _PNG_LENGTHS.get(kind, 0) <= length <= _METADATA_MAX:
        return None
    chunk = read_at(file, start, length + 12)
    if len(chunk) < length + 12 or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        return None
    return chunk[8:-4]


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    if not body:
        return b""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _transparency_for_pillow(body: bytes, color: int, depth: int) -> bytes:
    """Convert the body of tRNS to the range of Pillow's samples; it decodes most depths to 8 bits."""
    if color == _PNG_PALETTE:
        return body[:256]
    values = [value for (value,) in struct.iter_unpack(">H", body[: len(body) // 2 * 2])]
    if len(values) != {_PNG_GRAY: 1, _PNG_RGB: 3}.get(color):
        return b""
    if color == _PNG_GRAY and depth in {2, 4}:
        values = [(value & (2**depth - 1)) * (255 // (2**depth - 1)) for value in values]
    if color == _PNG_RGB and depth == 16:
        values = [value >> 8 for value in values]
    return struct.pack(f">{len(values)}H", *values)


def _read_png_metadata(metadata: Metadata, kind: bytes, body: bytes) -> None:
    if kind == b"eXIf":
        metadata.orientation = _orientation(body)
    elif kind == b"gAMA" and len(body) == 4 and metadata.gamma is None:
        gamma = int.from_bytes(body, "big") / 100_000
        metadata.gamma = gamma if _GAMMA_MIN <= gamma <= _GAMMA_MAX else None
    elif kind == b"iCCP":
        packed = body.partition(b"\0")[2][1:]
        unpacking = zlib.decompressobj()
        try:
            profile = unpacking.decompress(packed, _METADATA_MAX)
        except zlib.error:
            return
        metadata.icc_profile = profile if unpacking.eof else None


def _jpeg(file: BinaryIO, metadata: Metadata) -> list[Part]:
    parts: list[Part] = [b"\xff\xd8"]
    profile: dict[int, bytes] = {}
    size = _size(file)
    for marker, start, length in _jpeg_segments(file):
        if marker == _JPEG_START_OF_SCAN:
            parts.append((start, size - start))
        elif marker in {0xE1, 0xE2}:
            body = read_at(file, start + 4, length - 4)
            if body.startswith(b"Exif\0\0"):
                metadata.orientation = _orientation(body[6:])
            elif body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
                profile[body[12]] = body[14:]
        elif _defines_pixels(marker, read_at(file, start + 4, min(length - 4, 16))):
            parts.append((start, length))
    if sorted(profile) == list(range(1, len(profile) + 1)):
        metadata.icc_profile = b"".join(profile[number] for number in sorted(profile)) or None
    return parts


def _defines_pixels(marker: int, body: bytes) -> bool:
    """Whether a segment is a table or a frame, or one of the two that define the color model."""
    if marker == 0xE0:
        return body.startswith(b"JFIF\0") and len(body) >= 14
    if marker == 0xEE:
        return body.startswith(b"Adobe") and len(body) >= 12
    return not (0xE0 <= marker <= 0xEF or marker == 0xFE)


def _jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, offset and length, marker included, of each segment up to the first scan."""
    size, at = _size(file), 2
    for _ in range(_CHUNKS_MAX):
        head = read_at(file, at, 4)
        if len(head) < 4:
            return
        if head[0] != 0xFF or head[1] in {0x00, 0xFF} | _JPEG_STANDALONE:
            at += 2 if head[0] == 0xFF and head[1] in _JPEG_STANDALONE else 1
            continue
        length = int.from_bytes(head[2:], "big")
        if head[1] == _JPEG_END or length < 2:
            return
        yield head[1], at, min(length + 2, size - at)
        if head[1] == _JPEG_START_OF_SCAN:
            return
        at += length + 2
    raise ValueError("too many segments")


def _webp(file: BinaryIO, metadata: Metadata) -> list[Part]:
    parts: list[Part] = []
    total = 4
    size, start = _size(file), 12
    for _ in range(_CHUNKS_MAX):
        head = read_at(file, start, 8)
        if len(head) < 8:
            break
        kind, length = head[:4], int.from_bytes(head[4:], "little")
        step = min(8 + length + length % 2, size - start)
        if kind in _WEBP_PIXELS:
            parts += _webp_part(file, kind, start, step)
            total += step
        elif kind in {b"EXIF", b"ICCP"} and length <= min(_METADATA_MAX, size - start - 8):
            body = read_at(file, start + 8, length)
            if kind == b"EXIF":
                metadata.orientation = _orientation(body.removeprefix(b"Exif\0\0"))
            else:
                metadata.icc_profile = body or None
        start += step
    else:
        raise ValueError("too many chunks")
    return [b"RIFF" + struct.pack("<I", total) + b"WEBP", *parts]


def _webp_part(file: BinaryIO, kind: bytes, start: int, length: int) -> list[Part]:
    if kind != b"VP8X" or length < 9:
        return [(start, length)]
    # The flags for metadata, which is left out, must not be set.
    flags = read_at(file, start + 8, 1)[0] & ~_WEBP_METADATA_FLAGS
    return [(start, 8), bytes([flags]), (start + 9, length - 9)]


def _webp_size(head: bytes) -> tuple[int, int] | None:
    """Read the width and height from the first 30 bytes of a file (RFC 9649)."""
    if len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", head, 26)
    return width & 0x3FFF, height & 0x3FFF


def _orientation(tiff: bytes) -> int:
    """Read the orientation from the first directory of an EXIF block, or return 1."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for index in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * index)
            if tag == _ORIENTATION_TAG:
                return value if kind == _SHORT and 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
