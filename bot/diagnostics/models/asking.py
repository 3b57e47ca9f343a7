"""Ask RunComfy about models, which costs nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import aiohttp

from bot.errors import BotError, ConfigError, ModelGoneError, OperatorError, RunComfyUnavailableError
from bot.models.live import LiveModel
from bot.runcomfy.client import RunComfyClient

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.config import Config

_TIMEOUT_SECONDS = 4  # less than a check may take
Answer: TypeAlias = LiveModel | BotError | None
"""RunComfy's entry of a model, None for a model that it doesn't know, or why there is no answer."""


async def ask_models(settings: Config, model_ids: Iterable[str]) -> dict[str, Answer]:
    """Ask RunComfy about several models at once.

    Raises:
        ConfigError: RunComfy refuses every request, such as for a bad token.
    """
    token, api_url = settings.runcomfy_token.get_secret_value(), str(settings.runcomfy_api_url)
    names = [*model_ids]
    async with aiohttp.ClientSession() as session:
        client = RunComfyClient(session, api_url=api_url, token=token, proxies=settings.proxies)
        try:
            answers = await asyncio.gather(*(_ask(client, name) for name in names))
        except OperatorError as error:
            raise ConfigError([error.remedy]) from None
    return dict(zip(names, answers, strict=True))


async def _ask(client: RunComfyClient, model_id: str) -> Answer:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            return await client.model(model_id)
    except ModelGoneError:
        return None
    except OperatorError:
        raise
    except TimeoutError:
        return RunComfyUnavailableError(f"no response within {_TIMEOUT_SECONDS} seconds")
    except BotError as error:
        return error
