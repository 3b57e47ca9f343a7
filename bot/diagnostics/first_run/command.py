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
from bot.diagnostics.first_run.discord_facts import ask_discord
from bot.diagnostics.first_run.exchange import Api
from bot.diagnostics.first_run.free import ask_free_questions
from bot.diagnostics.first_run.output import examine
from bot.diagnostics.first_run.paid import PaidRequest
from bot.diagnostics.first_run.report import Report, say
from bot.errors import ConfigError
from bot.models.catalogue import Catalogue
from bot.runcomfy.proxies import proxy_credentials

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from decimal import Decimal

    from bot.config import Config
    from bot.domain.job import OptionValue
    from bot.models.options import Option

_PROMPT: Final = "A red apple on a white table"
_SIZE: Final = "0.5K"
_HINTS: Final = {False: " Use --yes to agree.", True: " --yes does not agree to an unknown price."}


def run(*, is_confirmed: bool) -> tuple[int, list[str]]:
    """Run all steps; return the exit code and the report's lines. Progress and questions go to stderr.

    The code is 0 if all is as expected, 1 if something differs, 2 if RunComfy could not be asked, and 130
    after Ctrl+C. `is_confirmed` answers the question about the cost with yes.

    Raises:
        ConfigError: The settings or the model files can't be used; nothing was asked.
    """
    log.set_up("CRITICAL")  # the report explains it better
    first_run = _FirstRun(config.load(), Catalogue.load())
    try:
        code = first_run.run(is_confirmed=is_confirmed)
    except ConfigError as error:
        say("Can't ask RunComfy: " + first_run.report.clean("; ".join(error.problems)))
        code = 2
    except KeyboardInterrupt:
        first_run.explain_interruption()
        code = 130
    return code, [*first_run.lines()]


class _FirstRun:
    def __init__(self, settings: Config, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._model = catalogue.by_command.get("imagine") or next(iter(catalogue.values()))
        self._request: PaidRequest | None = None
        self._rate_headers: dict[str, str] = {}
        tokens = (settings.discord_token, settings.runcomfy_token)
        self.report = Report([token.get_secret_value() for token in tokens])
        for login in proxy_credentials(settings.discord_proxy, settings.http_proxy, settings.https_proxy):
            self.report.hide(login)

    def run(self, *, is_confirmed: bool) -> int:
        """Ask everything, and return the exit code.

        Raises:
            ConfigError: RunComfy can't be asked anything.
            KeyboardInterrupt: Someone pressed Ctrl+C.
        """
        say("Asking Discord and RunComfy. This costs nothing, and the bot can keep running.")
        base_price = asyncio.run(self._ask_free_questions())
        if self._is_agreed(base_price, is_confirmed=is_confirmed):
            asyncio.run(self._generate(base_price))
            say("Done. What RunComfy charges for this isn't counted in the bot's budget or database.")
        else:
            self.report.skip("one image", "not sent; nothing was spent")
        return int(self.report.has_differences)

    def lines(self) -> Iterator[str]:
        """Yield the lines of the report."""
        is_default = (
            self._settings.runcomfy_api_url == type(self._settings).model_fields["runcomfy_api_url"].default
        )
        yield (
            f"first run, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()},"
            f" discord.py {discord.__version__}, RUNCOMFY_API_URL {'default' if is_default else 'changed'}"
        )
        yield ""
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

    def _is_agreed(self, base_price: Decimal | None, *, is_confirmed: bool) -> bool:
        say(
            f"\nTo see the rest, one {_SIZE} image must be generated with {self._model.model_id}."
            f" {self._cost(base_price)} It isn't counted in the bot's budget or database.\n"
            "Before it, an invalid request is sent, which RunComfy should refuse. If RunComfy accepts it, it"
            " is canceled at once; if that fails, it is the one that is paid for."
        )
        if is_confirmed and base_price is not None:
            return True
        if sys.stdin is None or not sys.stdin.isatty():
            say("Nothing was sent: there is no terminal to ask in." + _HINTS[is_confirmed])
            return False
        print("Generate it? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201 (output)
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def _cost(self, base_price: Decimal | None) -> str:
        if base_price is None:
            return "RunComfy names no price for it, so it is unknown what it costs."
        share = self._model.prices.credits_per_image(self._values())
        return f"It costs about ${base_price * share:.4f}, and at most ${self._cost_max(base_price):.4f}."

    def _cost_max(self, base_price: Decimal) -> Decimal:
        return base_price

    def _values(self) -> dict[str, OptionValue]:
        """Return the input of /imagine for the smallest image, as the bot would send it."""
        size = {"resolution": _SIZE} if self._model.schema.accepts("resolution", _SIZE) else {}
        return self._model.schema.clean({"prompt": _PROMPT, **size})

    @asynccontextmanager
    async def _api(self) -> AsyncIterator[Api]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            yield Api(session, self._settings, self._rate_headers)

    async def _ask_free_questions(self) -> Decimal | None:
        """Ask what costs nothing; return the base price of an image."""
        models = self._catalogue.values()
        async with self._api() as api:
            await ask_discord(self._settings, models, self.report)
            prices = await ask_free_questions(api, models, self.report)
        return prices[self._model.model_id] or None  # as the bot, which does not believe a price of 0

    async def _generate(self, base_price: Decimal | None) -> None:
        """Send an invalid request, then the one that is paid for, and examine what comes of it."""
        values = self._values()
        async with self._api() as api:
            self._request = request = PaidRequest(api, self.report, self._model.model_id)
            # An option that does not change the price.
            option = next((each for each in self._model.schema.options.values() if _is_choice(each)), None)
            may_send = option is None or await request.send_invalid(values, option.name)
            if may_send:
                request.request_id = ""
                await request.send(values)
            if request.request_id and await request.follow():
                await examine(request, base_price and self._cost_max(base_price))
        limits = ", ".join(f"{name}: {text}" for name, text in self._rate_headers.items())
        self.report.note("rate limit headers", limits or "none")


def _is_choice(option: Option) -> bool:
    return bool(option.choices) and option.type == "string" and option.name != "resolution"
