"""A readable file made of parts of another file and of bytes, without copying them."""

from __future__ import annotations

import io
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import WriteableBuffer

Part: TypeAlias = "tuple[int, int] | bytes"
"""An offset and a length in the other file, or bytes."""


def read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    """Read up to `length` bytes at an offset."""
    file.seek(offset)
    return file.read(length)


def open_spliced(file: BinaryIO, parts: Sequence[Part]) -> BinaryIO:
    """Open the concatenation of some parts; `file` must stay open."""
    return io.BufferedReader(_SplicedFile(file, parts), 2**16)


class _SplicedFile(io.RawIOBase):
    def __init__(self, file: BinaryIO, parts: Sequence[Part]) -> None:
        self._file = file
        self._parts = parts
        self._starts = [0, *accumulate(len(part) if isinstance(part, bytes) else part[1] for part in parts)]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._starts[-1]}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        index = bisect_right(self._starts, self._at) - 1
        if index >= len(self._parts):
            return 0
        part, skipped = self._parts[index], self._at - self._starts[index]
        if isinstance(part, bytes):
            read = part[skipped : skipped + len(view)]
        else:
            read = read_at(self._file, part[0] + skipped, min(len(view), part[1] - skipped))
        view[: len(read)] = read
        self._at += len(read)
        return len(read)
