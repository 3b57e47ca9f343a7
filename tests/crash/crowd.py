"""Members who start, cancel and refetch jobs while the bot is being killed."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from playground.discord import NoResponse, RejectedByClient, UploadedFile
from tests.crash.taps import prompt_of
from tests.e2e.pictures import drawn

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from random import Random

    from playground.discord import Message
    from tests.crash.taps import TappedRunComfy
    from tests.e2e.environment import Environment

_OPTIONS: list[dict[str, Any]] = [
    {},
    {"num_images": 2, "output_format": "webp"},
    {"num_images": 3, "output_format": "jpeg", "aspect_ratio": "16:9"},
    {"aspect_ratio": "1:1", "seed": 7},
]


class Crowd:
    """A few members at once, independent of each other; a dying bot doesn't fail them."""

    def __init__(self, env: Environment, runcomfy: TappedRunComfy, dice: Random) -> None:
        self._env = env
        self._runcomfy = runcomfy
        self._dice = dice
        self._numbers = count(1)
        self._under_way: set[asyncio.Task[None]] = set()
        self._unfetched: list[Message] = []

    def act(self, *, people: int) -> None:
        """Start random actions of this many members."""
        actions = [self._imagine, self._imagine, self._refused, self._cancel, self._gone, self._fetch]
        actions += [self._edit_pictures, self._edit_result]
        for deed in self._dice.sample(actions, people):
            self._go(deed())

    async def cancel_all(self) -> None:
        """Cancel all actions, which would wait for a dead bot."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _go(self, deed: Coroutine[Any, Any, None]) -> None:
        async def quietly() -> None:
            with suppress(NoResponse, RejectedByClient):
                await deed

        self._under_way.add(task := asyncio.create_task(quietly()))
        task.add_done_callback(self._under_way.discard)

    async def _start_job(self, words: str, **options: Any) -> Message:
        person = self._dice.choice([self._env.alice, self._env.bob, self._env.mia])
        prompt = f"{words} {next(self._numbers)}"
        if words == "gone":
            self._runcomfy.gone.add(prompt)
        values = {"prompt": prompt, "resolution": "0.5K", **options}
        return await (await person.command("imagine", **values)).response()

    async def _imagine(self) -> None:
        await self._start_job("a neighbour", **self._dice.choice(_OPTIONS))

    async def _edit_pictures(self) -> None:
        pictures = [UploadedFile(f"{color}.png", drawn(color)) for color in ("red", "blue")]
        options: dict[str, Any] = {"prompt": f"an edit {next(self._numbers)}", "resolution": "0.5K"}
        await self._env.bob.command("edit", image=pictures[0], image2=pictures[1], **options)

    async def _edit_result(self) -> None:
        """Edit an image of the latest message that has one."""
        messages = [each for each in self._env.discord.channel.messages if _button(each, "change")]
        if messages:
            press = await self._env.alice.press(messages[-1], custom_id=_button(messages[-1], "change"))
            await press.modal_response()
            await self._env.alice.submit(press, instruction=f"an edit {next(self._numbers)}")

    async def _refused(self) -> None:
        await self._start_job("refuse this")

    async def _cancel(self) -> None:
        message = await self._start_job("not this", num_images=2)
        await self._env.author(message).press(message, custom_id=_button(message, "cancel"))

    async def _gone(self) -> None:
        self._unfetched.append(await self._start_job("gone"))

    async def _fetch(self) -> None:
        """Refetch images that could not be downloaded before."""
        for message in self._unfetched:
            if fetch := _button(message, "fetch"):
                self._unfetched.remove(message)
                self._runcomfy.gone.discard(prompt_of(message.interaction))
                await self._env.author(message).press(message, custom_id=fetch)
                return


def _button(message: Message, action: str) -> str:
    """Return the custom_id of the button for this action, or an empty string."""
    parts = [part["custom_id"] for row in message.components for part in row["components"]]
    return next((str(each) for each in parts if f":{action}:" in each), "")
