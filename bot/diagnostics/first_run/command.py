"""The command: free questions, the owner's consent, the paid request, and the report."""

from __future__ import annotations

import asyncio
import platform
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import aiohttp
import discord

from bot import config, log
from bot.config import Config
from bot.diagnostics.first_run.discord_facts import ask_discord
from bot.diagnostics.first_run.exchange import Api
from bot.diagnostics.first_run.free import ask_free_questions
from bot.diagnostics.first_run.output import examine
from bot.diagnostics.first_run.paid import PaidRequest
from bot.diagnostics.first_run.plan import SIZE, Plan
from bot.diagnostics.first_run.report import Report, say
from bot.errors import ConfigError
from bot.models.catalogue import MAIN_COMMAND, Catalogue

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from decimal import Decimal

_IMAGE_QUESTION: Final = (
    f"For the rest, one request for a {SIZE} image must be sent to {{model_id}}. {{cost}} Before it goes an"
    " invalid request, which RunComfy should refuse. If RunComfy accepts that, it is canceled at once; if"
    " canceling fails, it is the only one."
)
_EDIT_QUESTION: Final = "A second request can show whether {model_id} takes a picture as a data URI. {cost}"


def run(show: Callable[..., None], *, is_confirmed: bool) -> int:
    """Run all steps and show the report's lines; progress and questions go to stderr.

    The report is shown whatever happens, since what it tells can have cost money. `is_confirmed` answers the
    question about the image with yes.

    Returns:
        The exit code: 0 if all is as expected, 1 if something differs, 2 if RunComfy can't be asked, and 130
        after Ctrl+C.

    Raises:
        ConfigError: The settings or the model files can't be used; nothing was asked.
    """
    log.set_up("CRITICAL")  # the report explains it better
    settings = config.load()
    first_run = _FirstRun(settings, Catalogue.load(named=settings.models))
    try:
        return first_run.run(is_confirmed=is_confirmed)
    except ConfigError as error:
        say("Can't ask RunComfy: " + first_run.report.clean("; ".join(error.problems)))
        return 2
    except KeyboardInterrupt:
        first_run.explain_interruption()
        return 130
    finally:
        show(*first_run.lines())


class _FirstRun:
    def __init__(self, settings: Config, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._request: PaidRequest | None = None
        self._rate_headers: dict[str, str] = {}
        self.report = Report([])
        for secret in settings.secrets:
            self.report.hide(secret)

    def run(self, *, is_confirmed: bool) -> int:
        """Ask everything, and return the exit code.

        Raises:
            ConfigError: RunComfy can't be asked anything.
            KeyboardInterrupt: Someone pressed Ctrl+C.
        """
        say("Asking Discord and RunComfy. This costs nothing, and the bot can keep running.")
        prices = asyncio.run(self._ask_free_questions())
        model = self._catalogue.by_command[MAIN_COMMAND]
        editor = self._catalogue.edit_model(model.model_id)
        image = Plan.for_image(model, prices[model.model_id], "A red apple on a white table")
        if not _is_agreed(_IMAGE_QUESTION, image, is_confirmed=is_confirmed):
            self.report.skip("one image", "not sent; nothing was spent")
        elif asyncio.run(self._generate(image)) and editor:
            edit = Plan.for_edit(editor, prices[editor.model_id], "Make the apple green")
            if _is_agreed(_EDIT_QUESTION, edit):
                asyncio.run(self._edit(edit))
            else:
                self.report.skip("edit: data URI", "not sent")
        limits = ", ".join(f"{name}: {text}" for name, text in self._rate_headers.items())
        self.report.note("rate limit headers", limits or "none")
        return int(self.report.has_differences)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        is_default = self._settings.runcomfy_api_url == Config.model_fields["runcomfy_api_url"].default
        yield (
            f"first run, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()},"
            f" discord.py {discord.__version__}, RUNCOMFY_API_URL {'default' if is_default else 'changed'}"
        )
        yield from self.report.lines()

    def explain_interruption(self) -> None:
        """Say what is known about a request that is left alone."""
        self.report.skip("the rest", "interrupted")
        if self._request is None:
            say("\nInterrupted. Nothing was spent.")
            return
        say(
            f"\nInterrupted. The {self._request} was last known as: {self.report.clean(self._request.state)}."
            " It may continue and be charged. Find it by its time among the generations of your RunComfy"
            " account."
        )

    @asynccontextmanager
    async def _api(self) -> AsyncIterator[Api]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield Api(session, self._settings, self._rate_headers)

    async def _ask_free_questions(self) -> dict[str, Decimal | None]:
        """Ask what costs nothing; return the price of an image by model_id."""
        async with self._api() as api:
            await ask_discord(self._settings, self._catalogue.values(), self.report)
            return await ask_free_questions(api, [*self._catalogue.known.values()], self.report)

    async def _generate(self, plan: Plan) -> bool:
        """Send an invalid request, then the one that is paid for; return whether that was examined."""
        async with self._api() as api:
            self._request = request = PaidRequest(api, self.report, plan.model.model_id)
            may_send = plan.free_choice is None or await request.send_invalid(plan.values, plan.free_choice)
            if may_send:
                await request.send(plan.values)
            return await _examine(request, plan)

    async def _edit(self, plan: Plan) -> None:
        self.report.note("edit: picture", "a PNG of a few kB as a data URI")
        async with self._api() as api:
            self._request = request = PaidRequest(api, self.report, plan.model.model_id, "edit: ")
            await request.send(plan.values)
            await _examine(request, plan)


async def _examine(request: PaidRequest, plan: Plan) -> bool:
    if not request.request_id or not await request.follow():
        return False
    await examine(request, plan.cost_estimate)
    return True


def _is_agreed(question: str, plan: Plan, *, is_confirmed: bool = False) -> bool:
    """Say what a request costs, and ask whether to send it."""
    text = question.format(model_id=plan.model.model_id, cost=plan.cost_text)
    say(f"\n{text} It isn't counted in the bot's budget or database.")
    if is_confirmed and plan.cost_max is not None:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        reason = (
            "--yes does not agree to an unknown price" if is_confirmed else "there is no terminal to ask in"
        )
        say(f"Not sent: {reason}.")
        return False
    print("Send it? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 (output)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
