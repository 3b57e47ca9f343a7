"""The JSON body of a submit with pictures, sent in blocks; only one picture at a time is in memory."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.errors import InputUnavailableError
from bot.media.input_image import DATA_URI_PREFIX, data_uri_length

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from pydantic import JsonValue

PictureValue: TypeAlias = Path | str
"""A PNG file, which is sent as a data URI, or a URL, which is sent as it is."""
PictureValues: TypeAlias = "Mapping[str, PictureValue | Sequence[PictureValue]]"
"""By property of the model's schema: a list, or a single picture."""

_BLOCK_BYTES = 3 * 2**18  # 1 MiB in base64
_BLOCK_SECONDS = 100.0
# RunComfy can take 100 s for its answer, and up to 4 MiB can still be in this machine's buffers.
_ANSWER_SECONDS = 300.0


class RequestBody:
    """A body to be sent once.

    `time_limit` must be entered for the whole request. It gives each block 100 seconds to leave, which is
    10 kB/s, and the answer five minutes after the last one.
    """

    def __init__(
        self,
        texts: Sequence[str],
        files: Sequence[Path],
        sizes: Sequence[int],
        is_lease_held: Callable[[], bool],
    ) -> None:
        self._is_lease_held = is_lease_held
        self._texts = [text.encode() for text in texts]  # one before each file, and one after the last
        self._files = [*zip(files, sizes, strict=True)]
        self.length = sum(map(len, self._texts)) + sum(map(data_uri_length, sizes))
        """In bytes."""
        self.is_complete = False
        """Whether the last byte may have been sent; until then, RunComfy can't have understood the body."""
        self.error: str | None = None
        """Why a picture could not be read."""
        self.time_limit = asyncio.timeout(_BLOCK_SECONDS)

    @classmethod
    async def build(
        cls,
        values: Mapping[str, JsonValue],
        pictures: PictureValues,
        is_lease_held: Callable[[], bool] = lambda: True,
    ) -> RequestBody:
        """Return the body for a request with these values; it breaks off once the lease is no longer held.

        Raises:
            InputUnavailableError: A file can't be found.
        """
        files: dict[str, Path] = {}

        def placeholder(picture: PictureValue) -> str:
            if isinstance(picture, str):
                return picture
            files[key := uuid.uuid4().hex] = picture
            return key

        filled = {
            name: placeholder(value) if isinstance(value, Path | str) else [*map(placeholder, value)]
            for name, value in pictures.items()
        }
        text = json.dumps({**values, **filled})
        texts = re.split("|".join(files), text) if files else [text]
        try:
            sizes = [(await asyncio.to_thread(file.stat)).st_size for file in files.values()]
        except OSError as error:
            raise InputUnavailableError(f"a picture can't be found: {error.strerror}") from None
        return cls(texts, [*files.values()], sizes, is_lease_held)

    async def blocks(self) -> AsyncIterator[bytes]:
        """Yield the body; the last block is the end of the JSON object.

        Raises:
            OSError: A picture can't be read, or another process may have taken the job over.
        """
        for text, (file, size) in zip(self._texts, self._files, strict=False):
            yield text + DATA_URI_PREFIX
            data = await self._read(file, size)
            for start in range(0, size, _BLOCK_BYTES):
                self._check_lease()
                self._extend(_BLOCK_SECONDS)
                yield b64encode(data[start : start + _BLOCK_BYTES])
        self._check_lease()
        self.is_complete = True
        self._extend(_ANSWER_SECONDS)
        yield self._texts[-1]

    def abort(self) -> None:
        """Let the request fail, unless it may have been submitted already."""
        if not self.is_complete:
            self._extend(0)

    def _check_lease(self) -> None:
        if not self._is_lease_held():
            raise OSError("the lease is over")

    async def _read(self, file: Path, size: int) -> bytes:
        try:
            data = await asyncio.to_thread(file.read_bytes)
        except OSError as error:
            self.error = str(error.strerror)
            raise
        if len(data) != size:
            self.error = "its size has changed"
            raise OSError(self.error)
        return data

    def _extend(self, seconds: float) -> None:
        self.time_limit.reschedule(asyncio.get_running_loop().time() + seconds)
