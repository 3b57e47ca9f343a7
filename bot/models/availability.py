"""Why a model can't be offered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import ConfigError
from bot.models.comparison import compare

if TYPE_CHECKING:
    from bot.models.catalogue import Catalogue
    from bot.models.live import LiveModel, Reading
    from bot.models.model import Model

NO_MULTIPLE = "highest_multiple is missing in its file, and BUDGET_USD needs it"
NO_PRICE = "base_price_usd: RunComfy states no plausible price of an image"
UNREAD = "its schema and price have not been read from RunComfy yet"


def live_problems(model: Model, entry: LiveModel | None) -> list[str]:
    """Return why requests of a model would fail, as sentences; `entry` is RunComfy's, or None without one."""
    if entry is None:
        return [f"RunComfy no longer knows {model.model_id}: it was removed or renamed"]
    return compare(model, entry).problems


def hidden_reasons(model: Model, reading: Reading | None, *, has_budget: bool) -> list[str]:
    """Return why a model can't be offered, as sentences; none if it can.

    `has_budget` says whether the owner has a budget in dollars.
    """
    reasons = []
    if has_budget and model.highest_multiple is None:
        reasons.append(NO_MULTIPLE)
    if reading is None:
        return [*reasons, UNREAD]
    reasons += live_problems(model, reading.entry)
    if reading.entry and reading.list_price is None:
        reasons.append(NO_PRICE)
    return reasons


def require_main_multiple(catalogue: Catalogue, *, has_budget: bool) -> None:
    """Check that the model of /imagine, which is never hidden, can be used with the owner's budget.

    Raises:
        ConfigError: It would be refused, because its file lacks `highest_multiple`.
    """
    main = catalogue.main
    if has_budget and main and main.highest_multiple is None:
        raise ConfigError([f"{main.model_id}: {NO_MULTIPLE}"])
