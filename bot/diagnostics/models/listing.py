"""List the model files: offered or hidden, prices, and how their jobs went lately."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot import config
from bot.log import escape_control
from bot.models.availability import hidden_reasons
from bot.models.catalogue import Catalogue
from bot.storage.inspection import ModelHealth, model_health, model_readings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.models.live import Reading
    from bot.models.model import Model

_HEALTH_TIME = timedelta(days=7)
_HEADER = ("command", "model", "state", "credits", "base price", "reserved", "jobs", "failed", "seconds")
_UNKNOWN = "-"
_LEGEND = "reserved: per image, under BUDGET_USD. jobs, failed, seconds: last 7 days, median seconds per job"


def list_models() -> list[str]:
    """Return a table of all model files, each followed by why it is not offered; RunComfy isn't asked.

    Raises:
        ConfigError: The settings or model files can't be used.
    """
    settings = config.load()
    catalogue = Catalogue.load(named=settings.models)
    readings = model_readings(settings.database_url)
    health = model_health(settings.database_url, datetime.now(UTC) - _HEALTH_TIME)
    rows: list[tuple[str, ...]] = [_HEADER]
    reasons: list[list[str]] = [[]]
    for model_id, model in catalogue.known.items():
        reading = readings.get(model_id)
        found = []
        if model_id in catalogue and model is not catalogue.main:
            found = hidden_reasons(model, reading, has_budget=settings.budget_usd is not None)
        state = "not in MODELS" if model_id not in catalogue else "hidden" if found else "offered"
        rows.append((*_describe(model, state, reading), *_health(health.get(model_id))))
        reasons.append(found)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row, found in zip(rows, reasons, strict=True):
        lines.append(_aligned(row, widths))
        lines += [f"    {escape_control(each)}" for each in found]
    return [*lines, "", _LEGEND]


def _describe(model: Model, state: str, reading: Reading | None) -> tuple[str, ...]:
    price, multiple = reading.list_price if reading else None, model.highest_multiple
    low, high = (f"{credits.normalize():f}" for credits in model.prices.range(model.schema))
    return (
        f"/{model.command}",
        model.model_id,
        state,
        low if low == high else f"{low}-{high}",
        _UNKNOWN if price is None else f"${price:f}",
        f"${price * multiple:f}" if price and multiple else _UNKNOWN,
    )


def _health(found: ModelHealth | None) -> tuple[str, ...]:
    if found is None:
        return ("0", _UNKNOWN, _UNKNOWN)
    seconds = _UNKNOWN if found.median_seconds is None else f"{found.median_seconds:.1f}"
    return (str(found.jobs), f"{found.failed / found.jobs:.0%}", seconds)


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
