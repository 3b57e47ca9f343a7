"""The questions to RunComfy that cost nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import (
    BotError,
    ConfigError,
    RequestNotFoundError,
    RunComfyAuthError,
    RunComfyUnavailableError,
)
from bot.runcomfy.responses import parse_base_price

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal

    from bot.diagnostics.first_run.exchange import Answer, Api
    from bot.diagnostics.first_run.report import Report
    from bot.models.model import Model

_UNUSED = "00000000-0000-0000-0000-000000000000"
_UNKNOWN_REQUEST = f"/v1/requests/{_UNUSED}/status"
_UNKNOWN_MODEL = "/v1/models/imagine-bot/first-run/unknown"


async def ask_free_questions(api: Api, models: Iterable[Model], report: Report) -> dict[str, Decimal | None]:
    """Ask for errors and models; return the base price in US dollars by model_id.

    Raises:
        ConfigError: RunComfy does not respond or rejects the token, so nothing else can be asked.
    """
    request = await api.ask("GET", _UNKNOWN_REQUEST)
    _require_access(request)
    bad_token, model = await asyncio.gather(
        api.ask("GET", _UNKNOWN_REQUEST, token=_UNUSED), api.ask("GET", _UNKNOWN_MODEL)
    )
    compare_error(report, "bad token", bad_token, (400, 400004), RunComfyAuthError)
    compare_error(report, "unknown request_id", request, (404, 404001), RequestNotFoundError)
    compare_error(report, "unknown model_id", model, (400, 400001), RequestNotFoundError)
    return {model.model_id: await _ask_model(api, model, report) for model in models}


def _require_access(answer: Answer) -> None:
    error = answer.error()
    if error is RunComfyAuthError:
        raise ConfigError([RunComfyAuthError.remedy])
    if answer.response is None or (error and issubclass(error, RunComfyUnavailableError)):
        text = f"RunComfy gives no usable response ({answer.problem or f'HTTP {answer.status}'})"
        raise ConfigError(
            [f"{text}: check the network, RUNCOMFY_API_URL and the proxy settings, or try later"]
        )


def compare_error(
    report: Report,
    question: str,
    answer: Answer,
    expected: tuple[int, int],
    error_type: type[BotError],
) -> None:
    """Compare an answer with the documented status and error_code, and say what the bot makes of it."""
    status, code = expected
    error = answer.error()
    is_understood = error is not None and issubclass(error, error_type)
    reading = "understands it" if is_understood else f"takes it for {error.__name__ if error else 'success'}"
    is_same = is_understood and (answer.status, answer.code) == expected
    seen = str(answer) if is_same else f"{answer} (the bot {reading})"
    report.compare(question, f"HTTP {status}, error_code {code}", seen, is_same=is_same)


async def _ask_model(api: Api, model: Model, report: Report) -> Decimal | None:
    answer = await api.ask("GET", f"/v1/models/{model.model_id}")
    question = f"/{model.command}"
    if answer.error() or answer.body is None:
        report.compare(question, f"RunComfy knows {model.model_id}", str(answer))
        return None
    price, unit = parse_base_price(answer.body), answer.body.get("price_unit")
    seen = (
        f"{price} per {unit}"
        if price is not None
        else f"price {answer.body.get('base_price_usd')} per {unit}"
    )
    report.compare(f"{question}: base price", "US dollars per output", seen, is_same=bool(price))
    return price
