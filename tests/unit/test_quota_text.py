"""What /help and /usage say about models."""

from __future__ import annotations

from bot.discord.views.quota_text import model_lines, price_lines
from bot.models.catalogue import Catalogue

CATALOGUE = Catalogue.load()
IMAGINE, EDIT = CATALOGUE.by_command["imagine"], CATALOGUE.by_command["edit"]


def test_prices_of_one_model_name_no_command() -> None:
    only = Catalogue({IMAGINE.model_id: IMAGINE})
    assert price_lines(only, "en-US") == [
        "Resolution, credits per image: 0.75 (0.5K) · 1 (1K) · 1.5 (2K) · 2.5 (4K)",
        "Web search, credits per image: +0.5",
    ]


def test_models_with_the_same_text_share_a_line() -> None:
    lite = CATALOGUE.by_command["image nano-banana-2-lite"]
    assert model_lines([(IMAGINE, "up to 4K"), (EDIT, "up to 4K"), (lite, "")]) == [
        "/imagine, /edit · up to 4K",
        "/image nano-banana-2-lite",
    ]


def test_lines_of_many_models_fit_in_an_embed() -> None:
    lines = model_lines((IMAGINE, f"{number} {'x' * 90}") for number in range(50))
    assert len("\n".join(lines)) <= 1010
    assert lines[-1] == "…"
    assert lines[0].startswith("/imagine · 0")
    assert len("\n".join(price_lines(CATALOGUE, "ru"))) <= 1010
