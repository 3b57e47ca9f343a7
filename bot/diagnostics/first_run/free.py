"""The questions to RunComfy that cost nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bot.errors import (
    BotError,
    ConfigError,
    ModelGoneError,
    RequestNotFoundError,
    RunComfyAuthError,
    RunComfyUnavailableError,
)
from bot.models.comparison import compare
from bot.runcomfy.errors import MODEL_ERROR_MAP, REQUEST_ERROR_MAP, ErrorMap
from bot.runcomfy.responses import parse_model

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from bot.diagnostics.first_run.exchange import Answer, Api
    from bot.diagnostics.first_run.report import Report
    from bot.models.model import Model

_UNUSED = "00000000-0000-0000-0000-000000000000"
_UNKNOWN_REQUEST = f"/v1/requests/{_UNUSED}/status"
_UNKNOWN_MODEL = "/v1/models/imagine-bot/first-run/unknown"


async def ask_free_questions(api: Api, models: Sequence[Model], report: Report) -> dict[str, Decimal | None]:
    """Ask for errors and models; return the price of an image in US dollars by model_id.

    Raises:
        ConfigError: RunComfy does not respond or rejects the token, so nothing else can be asked.
    """
    request = await api.ask("GET", _UNKNOWN_REQUEST)
    _require_access(request)
    compare_error(report, "unknown request_id", request, (404, 404001), RequestNotFoundError)
    bad_token = await api.ask("GET", _UNKNOWN_REQUEST, token=_UNUSED)
    compare_error(report, "bad token", bad_token, (400, 400004), RunComfyAuthError)
    model = await api.ask("GET", _UNKNOWN_MODEL)
    compare_error(report, "unknown model_id", model, (400, 400001), ModelGoneError, error_map=MODEL_ERROR_MAP)
    answers = await asyncio.gather(*(api.ask("GET", f"/v1/models/{model.model_id}") for model in models))
    pairs = zip(models, answers, strict=True)
    return {model.model_id: _compare_model(model, answer, report) for model, answer in pairs}


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
    *,
    error_map: ErrorMap = REQUEST_ERROR_MAP,
) -> None:
    """Compare an answer with the documented status and error_code, and say what the bot makes of it."""
    status, code = expected
    error = answer.error(error_map)
    is_understood = error is not None and issubclass(error, error_type)
    reading = "understands it" if is_understood else f"takes it for {error.__name__ if error else 'success'}"
    is_same = is_understood and (answer.status, answer.code) == expected
    seen = str(answer) if is_same else f"{answer} (the bot {reading})"
    report.compare(question, f"HTTP {status}, error_code {code}", seen, is_same=is_same)


def _compare_model(model: Model, answer: Answer, report: Report) -> Decimal | None:
    """Compare a model's file with RunComfy's entry; return its price, or None as the bot if it is 0."""
    name = f"/{model.command}"
    try:
        live = None if answer.error(MODEL_ERROR_MAP) else parse_model(answer.body or {})
    except ValueError:
        live = None
    if live is None:
        report.compare(f"{name}: model", model.model_id, str(answer))
        return None
    found = compare(model, live)
    seen = "; ".join([*found.problems, *(f"{note} (harmless)" for note in found.notes)])
    report.compare(f"{name}: schema", "as in the bot's file", seen or "the same", is_same=not seen)
    seen = f"${live.base_price} per {live.price_unit}" if live.base_price is not None else "none"
    expected, is_same = "$... per output", bool(live.image_price)
    report.compare(f"{name}: price", expected, f"{seen}. {live.pricing_note}", is_same=is_same)
    return live.image_price or None
