"""Compare model files with what RunComfy says now."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot import config
from bot.diagnostics.finding import Finding, note, ok, problem
from bot.diagnostics.models.asking import ask_models
from bot.errors import BotError, ConfigError
from bot.models.availability import NO_MULTIPLE, NO_PRICE, UNREAD, hidden_reasons, live_problems
from bot.models.catalogue import Catalogue
from bot.models.comparison import compare
from bot.models.live import Reading, is_plausible_price
from bot.storage.inspection import model_readings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Config
    from bot.diagnostics.models.asking import Answer
    from bot.models.model import Model


async def check_offered(settings: Config) -> list[Finding]:
    """Return which models the bot offers, and why others are hidden."""
    try:
        catalogue = Catalogue.load(named=settings.models)
    except ConfigError:  # another check reports it
        return []
    stored = await asyncio.to_thread(model_readings, settings.database_url)
    try:
        answers = await ask_models(settings, catalogue)
    except ConfigError:  # as above; what was stored still says what is hidden
        answers = {}
    offered, findings = list[str](), list[Finding]()
    for model_id, model in catalogue.items():
        reading = _latest(model_id, answers, stored)
        if model is catalogue.main:
            reasons = live_problems(model, reading.entry) if reading else []
            text = f"requests of /{model.command} will probably fail"
        else:
            reasons = hidden_reasons(model, reading, has_budget=settings.budget_usd is not None)
            text = f"/{model.command} is hidden"
        if model is catalogue.main or not reasons:
            offered.append(f"/{model.command}")
        for reason in reasons:
            finding = note if reason == UNREAD else problem
            findings.append(finding("models", f"{text}: {reason}"))
    return [ok("models", f"{', '.join(offered)} offered"), *findings]


def expected_commands(settings: Config) -> set[str]:
    """Return the commands of the models that a start would offer, as far as is known.

    Raises:
        ConfigError: The model files can't be used.
    """
    catalogue, readings = Catalogue.load(named=settings.models), model_readings(settings.database_url)
    has_budget = settings.budget_usd is not None
    return {
        model.command
        for model_id, model in catalogue.items()
        if model is catalogue.main
        or set(hidden_reasons(model, readings.get(model_id), has_budget=has_budget)) <= {UNREAD}
    }


def _latest(model_id: str, answers: Mapping[str, Answer], stored: Mapping[str, Reading]) -> Reading | None:
    """Return RunComfy's answer as a reading or, if there is none, what the bot read last."""
    last = stored.get(model_id)
    answer = answers.get(model_id)
    if model_id not in answers or isinstance(answer, BotError):
        return last
    price = answer.image_price if answer else None
    if price is None or not is_plausible_price(price):
        price = last.list_price if last else None
    return Reading(answer, price, datetime.now(UTC))


async def check_files() -> list[Finding]:
    """Compare every model file with RunComfy's entry: what changed, and what it costs.

    Raises:
        ConfigError: The settings or files can't be used, or RunComfy refuses to answer.
    """
    settings = config.load()
    catalogue = Catalogue.load(named=settings.models)
    answers = await ask_models(settings, catalogue.known)
    findings = list[Finding]()
    for model_id, model in catalogue.known.items():
        about = model_id if model_id in catalogue else f"{model_id} (not in MODELS)"
        has_budget = settings.budget_usd is not None
        findings += [
            Finding(each.severity, "models", f"{about}: {each.text}")
            for each in _check_file(model, answers[model_id], has_budget=has_budget)
        ]
    return findings


def _check_file(model: Model, answer: Answer, *, has_budget: bool) -> list[Finding]:
    if isinstance(answer, BotError):
        return [problem("", f"could not be read from RunComfy: {answer}")]
    if answer is None:
        return [problem("", each) for each in live_problems(model, None)]
    found = compare(model, answer)
    problems, notes = list(found.problems), list(found.notes)
    price, multiple = answer.image_price, model.highest_multiple
    if price is None or not is_plausible_price(price):
        problems.append(NO_PRICE)
    if multiple is None:
        (problems if has_budget else notes).append(NO_MULTIPLE)
    most = f", at most ${price * multiple:f}" if price and multiple else ""
    fits = [] if problems else [ok("", f"fits its file, ${price} per image{most}")]
    return [*fits, *(problem("", each) for each in problems), *(note("", each) for each in notes)]
