"""Unusual and malformed image files, built byte by byte."""

from __future__ import annotations

import io
import struct
import zlib
from random import Random
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


def chunk(kind: bytes, body: bytes = b"", *, crc: int | None = None) -> bytes:
    """A PNG chunk; `crc` replaces its checksum."""
    crc = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def png(
    rows: Sequence[Sequence[Sequence[int]]],
    *,
    color: int,
    depth: int = 8,
    before: bytes = b"",
    end: bytes = b"",
) -> bytes:
    """A PNG of rows of pixels of samples, with the chunks `before` and `end` around its IDAT."""
    lines = b"".join(b"\0" + _packed([sample for pixel in row for sample in pixel], depth) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), depth, color, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(lines))
    return PNG_MAGIC + chunk(b"IHDR", header) + before + pixels + end + PNG_END


def _packed(samples: Sequence[int], depth: int) -> bytes:
    bits = "".join(f"{sample:0{depth}b}" for sample in samples)
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def picture(kind: str, *, side: int = 48, mode: str = "RGB", **options: object) -> bytes:
    """An image of noise, whose pixels take many bytes."""
    image = Image.frombytes(mode, (side, side), Random(5).randbytes(side * side * len(mode)))
    image.save(file := io.BytesIO(), kind, **options)
    return file.getvalue()


def png_with(*chunks: bytes, end: bytes = b"", side: int = 48) -> bytes:
    """A PNG of noise with additional chunks before and after its pixels."""
    whole = picture("PNG", side=side)
    head = len(PNG_MAGIC) + 25
    return whole[:head] + b"".join(chunks) + whole[head : -len(PNG_END)] + end + PNG_END


def jpeg_with(*segments: tuple[int, bytes], side: int = 48) -> bytes:
    """A JPEG of noise with additional segments, each a marker and a body."""
    whole = picture("JPEG", side=side)
    more = b"".join(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body for marker, body in segments)
    return whole[:2] + more + whole[2:]


def webp_with(*chunks: tuple[bytes, bytes], flags: int = 0x2C, side: int = 48) -> bytes:
    """An extended WebP of noise with additional chunks; `flags` declare ICC profile, EXIF and XMP."""
    pixels = picture("WEBP", side=side)[12:]
    size = (side - 1).to_bytes(3, "little")
    body = riff(b"VP8X", bytes([flags, 0, 0, 0]) + size * 2)
    body += b"".join(riff(kind, data) for kind, data in chunks if kind == b"ICCP") + pixels
    body += b"".join(riff(kind, data) for kind, data in chunks if kind != b"ICCP")
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def riff(kind: bytes, body: bytes) -> bytes:
    """A RIFF chunk."""
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def unpacks_to(size: int) -> bytes:
    """A few bytes that zlib decompresses to many."""
    packing = zlib.compressobj(9)
    block = bytes(2**20)
    return b"".join(packing.compress(block) for _ in range(size // 2**20)) + packing.flush()


def tag(kind: bytes, body: bytes) -> bytes:
    return kind + bytes(4) + body


def profile(space: bytes, connection: bytes, device: bytes, tags: dict[bytes, bytes]) -> bytes:
    """An ICC profile of version 2."""
    white = tag(b"XYZ ", struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D))
    text = tag(b"desc", struct.pack(">I", 5) + b"test\0" + bytes(78))
    tags = {b"desc": text, b"wtpt": white, b"cprt": tag(b"text", b"none\0"), **tags}
    table, bodies, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, unpadded in tags.items():
        body = unpadded + bytes(-len(unpadded) % 4)
        table += name + struct.pack(">II", at, len(body))
        bodies += body
        at += len(body)
    head = bytes(4) + b"lcms" + struct.pack(">I", 0x02400000) + device + space + connection
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += struct.pack(">iii", 0xF6D6, 0x10000, 0xD32D)
    whole = head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + bodies
    return struct.pack(">I", len(whole)) + whole[4:]


def display_p3() -> bytes:
    """The primaries of Display P3, adapted to D50, with a gamma of 2.2."""
    primaries = {
        b"rXYZ": (0.51512, 0.24120, -0.00105),
        b"gXYZ": (0.29198, 0.69225, 0.04189),
        b"bXYZ": (0.15710, 0.06657, 0.78407),
    }
    tags = {
        name: tag(b"XYZ ", struct.pack(">iii", *(round(value * 0x10000) for value in values)))
        for name, values in primaries.items()
    }
    curve = tag(b"curv", struct.pack(">IH", 1, 0x233))
    return profile(b"RGB ", b"XYZ ", b"mntr", {**tags, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})
