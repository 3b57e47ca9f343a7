"""The buttons under jobs; their custom_ids hold all their state, so they work after any restart."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord import ButtonStyle, ui

from bot.discord.error_handler import error_boundary
from bot.domain.job import JobStatus
from bot.errors import JobNotFoundError
from bot.i18n import translate
from bot.log import job_context

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable, Sequence
    from decimal import Decimal

    from bot.domain.job import Job

    JobActionHandler: TypeAlias = Callable[[discord.Interaction[Any], str], Awaitable[None]]
    """A handler of presses; the job id that it gets is unchecked."""
    JobFormHandler: TypeAlias = Callable[[discord.Interaction[Any], str, dict[str, Any]], Awaitable[None]]
    """A handler of submitted forms; job id and data are unchecked."""


MAX_LISTED = 10
"""How many jobs a list shows; Discord allows 25 buttons and 4096 characters."""


class JobAction(StrEnum):
    """What a button does to its job. Names are part of its text's key, values of its custom_id.

    Each that opens a form is submitted under the same custom_id, except Delete.
    """

    CANCEL = "cancel"
    REROLL = "reroll"
    RETRY = "retry"
    EDIT_PROMPT = "edit"
    REMIX = "remix"
    EDIT = "change"
    VARY = "vary"
    UPSCALE = "upscale"
    INFO = "info"
    DOWNLOAD = "download"
    COLLECT = "fetch"
    DELETE = "delete"
    """Opens a form, which is submitted as the next; older versions asked with the three buttons below."""
    CONFIRM = "confirm"
    BLOCK = "block"
    """Deletes the images, and blocks the member who made them."""
    KEEP = "keep"
    UNBLOCK = "unblock"
    """Unblocks a member; names them instead of a job."""
    GENERATE = "generate"
    """With the next, answers a question about a request's cost; names the question instead of a job."""
    DISMISS = "dismiss"
    REFRESH = "refresh"
    """Of a list, so it names nothing."""
    EDIT_MESSAGE = "message"
    """Of the form of a menu; names what that remembers instead of a job."""
    EXPORT = "export"
    """With the next, about all that is stored about the person who presses it, so they name nothing."""
    ERASE = "erase"

    def label(self, locale: str) -> str:
        """Return the button's label without a price, which is also the title of a form that it opens."""
        return translate(f"button-{self.name.lower().replace('_', '-')}", locale)


_EMOJI = {
    JobAction.REROLL: "🔄",
    JobAction.RETRY: "🔁",
    JobAction.EDIT_PROMPT: "✏️",
    JobAction.REMIX: "🎛️",
    JobAction.EDIT: "🖌️",
    JobAction.VARY: "✨",
    JobAction.UPSCALE: "🔍",
    JobAction.INFO: "🔎",
    JobAction.DOWNLOAD: "💾",
    JobAction.COLLECT: "📥",
    JobAction.DELETE: "🗑️",
    JobAction.EXPORT: "📦",
    JobAction.ERASE: "🗑️",
}
_STYLES = {
    JobAction.RETRY: ButtonStyle.primary,
    JobAction.EDIT_PROMPT: ButtonStyle.primary,
    JobAction.GENERATE: ButtonStyle.primary,
    JobAction.COLLECT: ButtonStyle.success,
    JobAction.DELETE: ButtonStyle.danger,
    JobAction.ERASE: ButtonStyle.danger,
}


@lru_cache(maxsize=1000)  # a result has it on five buttons
def _price(locale: str, credits: Decimal) -> str:
    return translate("cost", locale, credits=credits)


class JobButton(ui.DynamicItem[ui.Button[Any]], template=r"job:(?P<action>[^:]*):v1:(?P<job_id>.*)"):
    """One button; its custom_id is `job:<action>:v1:<job_id>`.

    The template accepts more than the bot writes, so that a forged custom_id gets an error message. Handlers
    of actions are in `ImagineBot.job_actions`.
    """

    def __init__(self, action: str, job_id: str, button: ui.Button[Any]) -> None:
        super().__init__(button)
        self._action = action
        self._job_id = job_id

    @classmethod
    def for_job(
        cls, job: Job, action: JobAction, *, label: str | None = None, credits: Decimal | None = None
    ) -> JobButton:
        """Return the button for an action on a job; a price follows the action's own label."""
        label = label or action.label(job.locale)
        if credits is not None:
            label = f"{label} · {_price(job.locale, credits)}"
        button = cls.labelled(action, job.job_id, label)
        # RunComfy can't stop a running job; the disabled button stays so that the others don't move.
        button.item.disabled = action is JobAction.CANCEL and job.status is JobStatus.IN_PROGRESS
        return button

    @classmethod
    def labelled(cls, action: JobAction, name: str, label: str) -> JobButton:
        """Return the button for an action on the job, or whatever else has this id."""
        button: ui.Button[Any] = ui.Button(
            label=label,
            emoji=_EMOJI.get(action),
            style=_STYLES.get(action, ButtonStyle.secondary),
            custom_id=f"job:{action}:v1:{name}",
        )
        return cls(action, name, button)

    @staticmethod
    def custom_id_of(job: Job, action: JobAction) -> str:
        """Return the custom_id of the button for an action on a job."""
        return f"job:{action}:v1:{job.job_id}"

    @classmethod
    def parse(cls, custom_id: str) -> tuple[str, str] | None:
        """Return the action and the job's id, both unchecked; None if the custom_id is not a job button's."""
        match = cls.__discord_ui_compiled_template__.fullmatch(custom_id)
        return (match["action"], match["job_id"]) if match else None

    @staticmethod
    def belongs_to(message: discord.Message, job: Job) -> bool:
        """Return whether a message is this job's own, by the custom_ids of its buttons."""
        return any(custom_id.endswith(f":{job.job_id}") for custom_id in custom_ids(message))

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> JobButton:
        """Return the button that was pressed."""
        button = item if isinstance(item, ui.Button) else ui.Button(custom_id=match.string)
        return cls(match["action"], match["job_id"], button)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Call the action's handler; an unknown action, as of a forged custom_id, is refused."""
        with job_context(self._job_id):
            async with error_boundary(interaction):
                handler = interaction.client.job_actions.get(self._action)
                if handler is None:
                    raise JobNotFoundError
                await handler(interaction, self._job_id)


def list_buttons(jobs: Sequence[Job], locale: str, *, has_refresh: bool) -> ui.View:
    """Return a view for a list of jobs: Cancel or Get images, if possible, for each with its number."""
    view = ui.View(timeout=None)
    for number, job in enumerate(jobs, 1):
        if job.status is not JobStatus.IN_PROGRESS:  # then it can't be cancelled
            action = JobAction.COLLECT if job.is_fetchable else JobAction.CANCEL
            label = translate(f"numbered-{action.name.lower()}", locale, number=number)
            view.add_item(JobButton.for_job(job, action, label=label))
    if has_refresh:
        view.add_item(JobButton.labelled(JobAction.REFRESH, "", translate("button-refresh", locale)))
    return view


def custom_ids(message: discord.Message | None) -> list[str]:
    """Return the custom_ids of all buttons under a message."""
    rows = message.components if message else []
    parts = [part for row in rows if isinstance(row, discord.ActionRow) for part in row.children]
    return [part.custom_id for part in parts if part.custom_id]
