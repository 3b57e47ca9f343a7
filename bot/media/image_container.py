"""Hide from Pillow the metadata in an image file that it could fail on.

Pillow rejects a whole file because of a text chunk that decompresses to too much or a wrong checksum in a
comment, and the values in an EXIF block can overlap, so that reading all of them takes any amount of memory.
"""

from __future__ import annotations

import io
import re
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

from PIL.PngImagePlugin import MAX_TEXT_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")
Format: TypeAlias = Literal["png", "jpeg", "webp", "gif"]
_Part: TypeAlias = bytes | memoryview

_METADATA_MAX = 4 * 2**20
_CHUNKS_MAX = 200_000  # 64 MiB in chunks of 335 bytes
_ORIENTATION_TAG = 0x0112
_SHORT = 3  # the TIFF type of an orientation

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_PNG_PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"fdAT"}
_PNG_ANIMATION = {b"acTL", b"fcTL", b"fdAT"}
_PNG_LENGTHS_MIN = {b"tRNS": 1, b"acTL": 8, b"fcTL": 26, b"iCCP": 3, b"gAMA": 4, b"sRGB": 1, b"eXIf": 8}
_PNG_GRAY, _PNG_RGB, _PNG_PALETTE = 0, 2, 3
_WEBP_PIXELS = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"}
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")  # all but those without a length
_JPEG_START_OF_SCAN, _JPEG_END = 0xDA, 0xD9
_JPEG_SCANS_MAX = 50  # progressive files have about ten; 100 bytes of one can take 0.1 s to decode
_JPEG_NEEDED = re.compile(
    rb"\xff(?:[^\xe0-\xef\xfe]|\xe0..JFIF\0.{9}|\xe2..ICC_PROFILE\0.{3}|\xee..Adobe.{7})", re.DOTALL
)
"""Tables, frames and scans, and the segments of applications that define colors, unless too short."""
_JPEG_EXIF = re.compile(rb"\xff\xe1..Exif\0\0", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Container:
    """An image file with only the metadata that matters for colors, and its EXIF orientation, 1 to 8."""

    format: Format
    pixels: io.BytesIO
    orientation: int


def read_container(data: bytes) -> Container:
    """Read the container of an image file.

    Raises:
        ValueError: The file is not a PNG, JPEG, WebP or GIF image, or has more than 200,000 chunks
            or 50 scans.
    """
    kind: Format
    if data.startswith(_PNG_MAGIC):
        kind, (parts, exif) = "png", _png(data)
    elif data.startswith(b"\xff\xd8\xff"):
        kind, (parts, exif) = "jpeg", _jpeg(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind, (parts, exif) = "webp", _webp(data)
    elif data.startswith((b"GIF87a", b"GIF89a")):
        kind, (parts, exif) = "gif", ([data], b"")
    else:
        raise ValueError("no png, jpeg, webp or gif image")
    return Container(kind, io.BytesIO(b"".join(parts)), _orientation(bytes(exif)))


def _limited(chunks: Iterable[T]) -> Iterator[T]:
    for number, chunk in enumerate(chunks):
        if number == _CHUNKS_MAX:
            raise ValueError("too many chunks")
        yield chunk


def _png(data: bytes) -> tuple[list[_Part], _Part]:
    """Return the parts for Pillow and the EXIF block."""
    parts: list[tuple[bytes, _Part]] = [(b"", _PNG_MAGIC)]
    exif = memoryview(b"")
    is_animated = True
    depth, color = data[24:26].ljust(2, b"\0")
    for kind, chunk in _limited(_png_chunks(data)):
        if not _is_usable(kind, chunk):
            is_animated &= kind not in _PNG_ANIMATION
        elif kind == b"eXIf":
            exif = chunk[8:-4]
        elif kind == b"tRNS":
            parts.append((kind, _transparency_for_pillow(bytes(chunk[8:-4]), color, depth)))
        else:
            parts.append((kind, chunk))
    # After truncated pixels, an end would let the decoder accept them.
    if _is_whole(parts[-1][1]):
        parts.append((b"IEND", _PNG_END))
    return [part for kind, part in parts if is_animated or kind not in _PNG_ANIMATION], exif


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the type and the bytes of each chunk before IEND; the last one can be truncated."""
    start = len(_PNG_MAGIC)
    while (kind := data[start + 4 : start + 8]).isalpha() and len(kind) == 4 and kind != b"IEND":
        end = start + int.from_bytes(data[start : start + 4], "big") + 12
        yield kind, memoryview(data)[start:end]
        start = end


def _is_whole(chunk: _Part) -> bool:
    return len(chunk) == int.from_bytes(chunk[:4], "big") + 12


def _is_usable(kind: bytes, chunk: memoryview) -> bool:
    """Whether a chunk matters for the pixels, and is valid if it is optional."""
    if kind in _PNG_PIXELS:
        return True
    if kind not in _PNG_LENGTHS_MIN or not _PNG_LENGTHS_MIN[kind] <= len(chunk) - 12 <= _METADATA_MAX:
        return False
    if not _is_whole(chunk) or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
        return False
    return kind != b"iCCP" or _is_profile_packed(bytes(chunk[8:-4]))


def _is_profile_packed(body: bytes) -> bool:
    packed = body.partition(b"\0")[2]
    unpacking = zlib.decompressobj()
    try:
        unpacking.decompress(packed[1:], MAX_TEXT_CHUNK)
    except zlib.error:
        return False
    return unpacking.eof and packed[0] == 0  # deflate


def _transparency_for_pillow(body: bytes, color: int, depth: int) -> bytes:
    """Convert tRNS to the range of Pillow's samples; it decodes most depths to 8 bits."""
    if color == _PNG_PALETTE:
        body = body[:256]
    else:
        values = [value for (value,) in struct.iter_unpack(">H", body[: len(body) // 2 * 2])]
        if len(values) != {_PNG_GRAY: 1, _PNG_RGB: 3}.get(color):
            return b""
        if color == _PNG_GRAY and depth in {2, 4}:
            values = [(value & (2**depth - 1)) * (255 // (2**depth - 1)) for value in values]
        if color == _PNG_RGB and depth == 16:
            values = [value >> 8 for value in values]
        body = struct.pack(f">{len(values)}H", *values)
    return struct.pack(">I", len(body)) + b"tRNS" + body + struct.pack(">I", zlib.crc32(b"tRNS" + body))


def _jpeg(data: bytes) -> tuple[list[_Part], _Part]:
    """Return the parts for Pillow and the EXIF block."""
    parts: list[_Part] = [b"\xff\xd8"]
    exif = memoryview(b"")
    scans = 0
    for marker, segment in _limited(_jpeg_segments(data)):
        scans += marker == _JPEG_START_OF_SCAN
        if scans > _JPEG_SCANS_MAX:
            raise ValueError("too many scans")
        if _JPEG_NEEDED.match(segment):
            parts.append(segment)
        elif _JPEG_EXIF.match(segment):
            exif = segment[4:]
    return parts, exif


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, memoryview]]:
    """Yield the marker and the bytes of each segment; a scan includes its pixels."""
    found = _JPEG_MARKER.search(data, 2)
    while found:
        start, marker = found.start(), found[0][1]
        end = start + 2
        if marker == _JPEG_END:
            found = None
        else:
            length = int.from_bytes(data[end : end + 2], "big")
            if length < 2:
                return
            end += length
            found = _JPEG_MARKER.search(data, end)
            if marker == _JPEG_START_OF_SCAN:
                end = found.start() if found else len(data)
        yield marker, memoryview(data)[start:end]


def _webp(data: bytes) -> tuple[list[_Part], _Part]:
    """Return the parts for Pillow and the EXIF block."""
    parts: list[_Part] = []
    exif = memoryview(b"")
    for kind, length, chunk in _limited(_webp_chunks(data)):
        is_readable = length <= min(_METADATA_MAX, len(chunk) - 8)
        if kind in _WEBP_PIXELS or (kind == b"ICCP" and is_readable):
            parts.append(chunk)
        elif kind == b"EXIF" and is_readable:
            exif = chunk[8:]
    total = 4 + sum(len(part) for part in parts)
    return [b"RIFF" + struct.pack("<I", total) + b"WEBP", *parts], exif


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, int, memoryview]]:
    """Yield the type, body length and bytes of each chunk; the last one can be truncated."""
    start = 12
    while len(head := data[start : start + 8]) == 8:
        length = int.from_bytes(head[4:], "little")
        end = start + 8 + length + length % 2
        yield head[:4], length, memoryview(data)[start:end]
        start = end


def _orientation(exif: bytes) -> int:
    """Read the orientation from the first directory of an EXIF block, or return 1."""
    tiff = exif.removeprefix(b"Exif\0\0")
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
