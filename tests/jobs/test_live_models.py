"""Models are offered once RunComfy's schema and price fit their file, and hidden when they no longer do."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.errors import PolicyError
from bot.maintenance import live_models
from bot.models.catalogue import Catalogue
from bot.runcomfy import client
from playground.runcomfy import respond, stall
from playground.runcomfy.catalogue import catalogue_entry
from tests.factories import make_requester
from tests.jobs.bot import MODEL, Bot, Channel, on_fast_clock, running_bot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from bot.models.live import Reading
    from playground.runcomfy import Fault, LocalRunComfy

CANVAS, SKETCH = "house/canvas/text-to-image", "house/sketch/text-to-image"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["prompt"],
    "properties": {
        "prompt": {"type": "string"},
        "resolution": {"type": "string", "enum": ["1K", "2K"], "default": "1K"},
    },
}


def model_file(model_id: str) -> dict[str, Any]:
    return {
        "command": model_id.split("/")[1],
        "model_id": model_id,
        "texts": {"en-US": {}},
        "highest_multiple": "2",
        "input_schema": SCHEMA,
        "output_schema": {},
    }


def load(folder: Path) -> Catalogue:
    """Return the model of /imagine and two more."""
    definitions = folder / "definitions"
    definitions.mkdir(exist_ok=True)
    for model_id in (CANVAS, SKETCH):
        (definitions / f"{model_id.split('/')[1]}.json").write_text(json.dumps(model_file(model_id)))
    return Catalogue({MODEL.model_id: MODEL, **Catalogue.load(definitions)})


@asynccontextmanager
async def bot_with(folder: Path, channel: Channel | None = None, **changes: Any) -> AsyncIterator[Bot]:
    """Open a bot whose RunComfy has both models, changed."""
    async with running_bot(folder, channel, maintenance=False, catalogue=load(folder)) as bot:
        for model_id in (CANVAS, SKETCH):
            bot.runcomfy.catalogue[model_id] = catalogue_entry(model_id, deepcopy(SCHEMA))
        bot.runcomfy.catalogue[CANVAS] |= changes
        yield bot


async def a_day_later(bot: Bot) -> None:
    bot.models._next_read.clear()
    await bot.models.refresh()


def asked(runcomfy: LocalRunComfy) -> list[str]:
    return [call.path.removeprefix("/v1/models/") for call in runcomfy.calls if call.route == "model"]


def warnings(bot: Bot) -> list[tuple[str, object]]:
    return [(warning.key, warning.values.get("command")) for warning in bot.channel.warnings]


@on_fast_clock
async def test_models_are_offered_once_they_were_read(tmp_path: Path) -> None:
    async with bot_with(tmp_path) as bot:
        assert set(bot.catalogue.offered) == {MODEL.model_id}
        with pytest.raises(PolicyError, match="model-unavailable"):
            await bot.service.reserve(make_requester(), bot.catalogue[CANVAS], {"prompt": "a fox"})
        await bot.models.read_at_start()
        assert set(bot.catalogue.offered) == {MODEL.model_id, CANVAS, SKETCH}
        assert await bot.service.reserve(make_requester(), bot.catalogue[CANVAS], {"prompt": "a fox"})
        assert sorted(asked(bot.runcomfy)) == sorted(bot.catalogue)
        assert bot.offers == []  # the commands are registered after this
        read = await reading(bot)
        assert read.list_price == Decimal("0.05")
        assert read.entry
        assert read.entry.input_schema == SCHEMA
        assert bot.channel.warnings == []


@on_fast_clock
async def test_what_was_read_once_is_offered_while_runcomfy_is_down(tmp_path: Path) -> None:
    async with bot_with(tmp_path) as bot:
        await bot.models.read_at_start()
    async with bot_with(tmp_path) as bot:
        bot.runcomfy.inject_fault("model", respond(503), times=None)
        assert set(bot.catalogue.offered) == {MODEL.model_id, CANVAS, SKETCH}
        await bot.models.read_at_start()
        assert asked(bot.runcomfy) == []
        await bot.models.refresh()
        assert set(asked(bot.runcomfy)) == {MODEL.model_id, CANVAS, SKETCH}
        assert set(bot.catalogue.offered) == {MODEL.model_id, CANVAS, SKETCH}
        assert not bot.context.runcomfy.is_down  # jobs may work
        assert bot.channel.warnings == []


@on_fast_clock
async def test_start_does_not_wait_for_all_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read in time is offered; the rest is tried again until it works."""
    monkeypatch.setattr(live_models, "_START_SECONDS", 60.0)  # two real ones, for a busy machine
    monkeypatch.setattr(client, "_MODEL_TIMEOUT", aiohttp.ClientTimeout(total=3600))
    async with bot_with(tmp_path) as bot:
        bot.runcomfy.inject_fault(f"model {CANVAS}", stall(), times=None)
        started = asyncio.get_running_loop().time()
        await bot.models.read_at_start()
        assert 59.9 < asyncio.get_running_loop().time() - started < 360
        assert set(bot.catalogue.offered) == {MODEL.model_id, SKETCH}
        bot.runcomfy.clear_faults(f"model {CANVAS}")
        await bot.models.refresh()
        assert bot.offers == [{MODEL.model_id, CANVAS, SKETCH}]


def renamed(entry: dict[str, Any]) -> None:
    properties = entry["input_schema"]["properties"]
    properties["text"] = properties.pop("prompt")


def smaller(entry: dict[str, Any]) -> None:
    entry["input_schema"]["properties"]["resolution"]["enum"] = ["1K"]


def moved(entry: dict[str, Any]) -> None:
    entry["model_id"] = "house/canvas-2/text-to-image"


def filming(entry: dict[str, Any]) -> None:
    entry["categories"] = ["text-to-video"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (renamed, "prompt: is called text now"),
        (smaller, "resolution: no longer takes 2K"),
        (moved, "model_id: RunComfy calls the model house/canvas-2/text-to-image now"),
        (filming, "categories: the model makes video, not images"),
    ],
)
@on_fast_clock
async def test_changed_model_is_hidden_until_it_fits_again(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], reason: str
) -> None:
    async with bot_with(tmp_path) as bot:
        await bot.models.read_at_start()
        before = deepcopy(bot.runcomfy.catalogue[CANVAS])
        change(bot.runcomfy.catalogue[CANVAS])
        await a_day_later(bot)
        assert bot.offers == [{MODEL.model_id, SKETCH}]
        assert bot.catalogue.hidden == {CANVAS: reason}
        assert warnings(bot) == [("model-hidden", "canvas")]
        assert bot.channel.warnings[0].values["reason"] == reason
        bot.runcomfy.catalogue[CANVAS] = before
        await a_day_later(bot)
        assert bot.offers[-1] == {MODEL.model_id, CANVAS, SKETCH}
        change(bot.runcomfy.catalogue[CANVAS])
        await a_day_later(bot)  # the same cause
        assert warnings(bot) == [("model-hidden", "canvas")]


@pytest.mark.parametrize("profile", ["docs", "http"])
@on_fast_clock
async def test_vanished_model_is_hidden_with_one_notice(tmp_path: Path, profile: str) -> None:
    gone = {"docs": respond(400, {"error_code": 400001}), "http": respond(404, {"message": "gone"})}
    channel = Channel()
    async with bot_with(tmp_path, channel) as bot:
        await bot.models.read_at_start()
    for _ in range(2):
        async with bot_with(tmp_path, channel) as bot:
            bot.runcomfy.inject_fault(f"model {CANVAS}", gone[profile], times=None)
            await bot.models.read_at_start()
            await bot.models.refresh()
            assert set(bot.catalogue.offered) == {MODEL.model_id, SKETCH}
            assert warnings(bot) == [("model-hidden", "canvas")]


@on_fast_clock
async def test_model_of_imagine_is_never_hidden(tmp_path: Path) -> None:
    async with bot_with(tmp_path) as bot:
        del bot.runcomfy.catalogue[MODEL.model_id]
        await bot.models.read_at_start()
        await bot.models.refresh()
        assert MODEL.model_id in bot.catalogue.offered
        assert warnings(bot) == [("model-failing", "imagine")]
        assert await bot.reserve()


@pytest.mark.parametrize(
    "fault", [respond(500), respond(404, "<html>"), respond(401, {"message": "no"}), respond(200, {"a": 1})]
)
@on_fast_clock
async def test_model_that_cannot_be_read_affects_no_other(tmp_path: Path, fault: Fault) -> None:
    async with bot_with(tmp_path) as bot:
        bot.runcomfy.inject_fault(f"model {CANVAS}", fault, times=None)
        await bot.models.read_at_start()
        await bot.models.refresh()
        assert set(bot.catalogue.offered) == {MODEL.model_id, SKETCH}
        assert bot.catalogue.hidden[CANVAS].endswith("not been read from RunComfy yet")
        calls = len(asked(bot.runcomfy))
        await bot.models.refresh()
        assert asked(bot.runcomfy)[calls:] == [CANVAS]
        assert bot.channel.warnings == []


async def reading(bot: Bot) -> Reading:
    return (await bot.models.store.readings())[CANVAS]


@on_fast_clock
async def test_model_without_a_price_is_hidden_unless_one_is_known(tmp_path: Path) -> None:
    async with bot_with(tmp_path, price_unit="second") as bot:
        await bot.models.read_at_start()
        assert bot.catalogue.hidden[CANVAS].startswith("base_price_usd")
        bot.runcomfy.catalogue[CANVAS] |= {"price_unit": "output", "base_price_usd": 60}
        await a_day_later(bot)
        assert bot.catalogue.hidden[CANVAS].startswith("base_price_usd")
        assert [warning.key for warning in bot.channel.warnings] == ["price-not-believed"]
        bot.runcomfy.catalogue[CANVAS]["base_price_usd"] = 0.07
        await a_day_later(bot)
        assert CANVAS in bot.catalogue.offered
        bot.runcomfy.catalogue[CANVAS]["base_price_usd"] = 0
        await a_day_later(bot)
        assert CANVAS in bot.catalogue.offered
        assert (await reading(bot)).list_price == Decimal("0.07")
        assert [warning.key for warning in bot.channel.warnings] == ["price-not-believed"]


@on_fast_clock
async def test_changed_file_is_compared_with_what_was_read(tmp_path: Path) -> None:
    """An update of the bot can bring a file that no longer fits, while RunComfy is down."""
    async with bot_with(tmp_path) as bot:
        await bot.models.read_at_start()
    file = model_file(CANVAS)
    file["input_schema"] = deepcopy(SCHEMA)
    file["input_schema"]["properties"]["resolution"]["enum"].append("4K")
    (tmp_path / "definitions" / "canvas.json").write_text(json.dumps(file))
    changed = Catalogue({MODEL.model_id: MODEL, **Catalogue.load(tmp_path / "definitions")})
    async with running_bot(tmp_path, maintenance=False, catalogue=changed) as bot:
        assert bot.catalogue.hidden == {CANVAS: "resolution: no longer takes 4K"}


@on_fast_clock
async def test_unreadable_reading_is_repeated(tmp_path: Path) -> None:
    async with bot_with(tmp_path) as bot:
        await bot.models.read_at_start()
        await bot.execute("update live_models set entry = '{' where model_id = ?", CANVAS)
    async with bot_with(tmp_path) as bot:
        assert CANVAS in bot.catalogue.hidden
        await bot.models.read_at_start()
        assert CANVAS in bot.catalogue.offered


@on_fast_clock
async def test_file_without_a_multiple_is_hidden_under_a_budget(tmp_path: Path) -> None:
    async with bot_with(tmp_path) as bot:
        file = model_file(CANVAS)
        del file["highest_multiple"]
        (tmp_path / "definitions" / "canvas.json").write_text(json.dumps(file))
        bot.catalogue.update(Catalogue.load(tmp_path / "definitions"))
        await bot.models.read_at_start()
        assert CANVAS in bot.catalogue.offered
        bot.costs.budget_usd = Decimal(10)
        await a_day_later(bot)
        assert bot.catalogue.hidden == {
            CANVAS: "highest_multiple is missing in its file, and BUDGET_USD needs it"
        }
