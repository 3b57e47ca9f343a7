"""Ask before a request that takes most of what its member has left; nothing is reserved meanwhile."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import discord

from bot.discord.errors import DISCORD_ERRORS
from bot.discord.first_response import send_first_response
from bot.discord.requester import get_requester, require_post_permissions
from bot.discord.responses import delete_with_retry, respond, send_with_retry
from bot.discord.views.job_buttons import JobAction, JobButton
from bot.errors import BotError, ConfirmationNeededError, NotRemovedError, PolicyError
from bot.i18n import translate

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.domain.job import Job
    from bot.domain.requester import Requester

    Reserve: TypeAlias = Callable[[Requester], Awaitable[Job | None]]
    """Checks a request from the start and reserves its job, such as `JobService.reserve`."""

_LIFETIME_SECONDS = 900.0  # as long as the token that removes the question
_MAX_OPEN = 1000


@dataclass(frozen=True)
class _Question:
    interaction: discord.Interaction[Any]
    reserve: Reserve
    credits: Decimal


class Confirmations:
    """The open questions, in memory only, so that a restart ends them; too many end the oldest."""

    def __init__(self) -> None:
        self._questions: dict[str, _Question] = {}

    async def start(
        self, interaction: discord.Interaction[Any], reserve: Reserve, *, agreed_credits: Decimal = Decimal(0)
    ) -> None:
        """Reserve a job and show it in the first response, or ask first, which only its member sees.

        Raises:
            BotError: As `require_post_permissions` and `reserve`.
        """
        requester = replace(require_post_permissions(interaction), agreed_credits=agreed_credits)
        try:
            job = await reserve(requester)
        except ConfirmationNeededError as error:
            await self._ask(interaction, reserve, error)
        else:
            await send_first_response(interaction, job)

    async def _ask(
        self, interaction: discord.Interaction[Any], reserve: Reserve, error: ConfirmationNeededError
    ) -> None:
        locale, name = interaction.locale.value, secrets.token_hex(8)
        if len(self._questions) >= _MAX_OPEN:
            del self._questions[next(iter(self._questions))]
        self._questions[name] = _Question(interaction, reserve, error.credits)
        asyncio.get_running_loop().call_later(_LIFETIME_SECONDS, self._questions.pop, name, None)
        view = discord.ui.View(timeout=None)
        view.add_item(JobButton.labelled(JobAction.GENERATE, name, translate("button-generate", locale)))
        view.add_item(JobButton.labelled(JobAction.DISMISS, name, translate("button-dismiss", locale)))
        text = translate(error.key, locale, **error.values)
        await respond(interaction, content=text, view=view, ephemeral=True)

    async def confirm(self, interaction: discord.Interaction[Any], name: str) -> None:
        """Start the request as if it came now, and remove the question; if it is refused, the question stays.

        Raises:
            BotError: As `start`, and `question-expired` of `dismiss`.
        """
        question = self._take(interaction, name)
        try:
            await self.start(interaction, question.reserve, agreed_credits=question.credits)
        except (BotError, *DISCORD_ERRORS):
            self._questions[name] = question
            raise
        with suppress(NotRemovedError):
            await delete_with_retry(question.interaction.delete_original_response)

    async def dismiss(self, interaction: discord.Interaction[Any], name: str) -> None:
        """Forget the request.

        Raises:
            PolicyError: The question is someone else's, or no longer open (`question-expired`).
        """
        get_requester(interaction)
        self._take(interaction, name)
        text = translate("jobs-canceled", interaction.locale.value)
        edit = partial(interaction.response.edit_message, content=text, view=None)
        await send_with_retry(interaction, edit)

    def _take(self, interaction: discord.Interaction[Any], name: str) -> _Question:
        question, message = self._questions.get(name), interaction.message
        is_forged = message is None or not message.flags.ephemeral
        if is_forged or question is None or question.interaction.user.id != interaction.user.id:
            raise PolicyError("question-expired")
        return self._questions.pop(name)
