"""A model's entry in RunComfy's catalogue: what is read of it, and when it is gone."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import ModelGoneError, RunComfyAuthError, RunComfyUnavailableError
from bot.runcomfy.client import RunComfyClient
from playground.runcomfy import LocalRunComfy, edit_json, respond
from tests.runcomfy.helpers import MODEL

if TYPE_CHECKING:
    import aiohttp

    from playground.runcomfy import Fault


async def test_schema_and_price(client: RunComfyClient) -> None:
    model = await client.model(MODEL)
    assert model.model_id == MODEL
    assert model.input_schema
    assert "prompt" in model.input_schema["properties"]
    assert model.image_price == model.base_price == Decimal("0.05")
    assert model.output_kinds == {"image"}
    assert model.pricing_note


@pytest.mark.parametrize("profile", ["docs", "http"])
async def test_unknown_model_is_gone(session: aiohttp.ClientSession, profile: Any) -> None:
    async with LocalRunComfy(profile=profile) as runcomfy:
        client = RunComfyClient(session, api_url=runcomfy.url, token=runcomfy.token)
        with pytest.raises(ModelGoneError):
            await client.model("google/nano-banana-2/no-such-model")
        assert not client.is_down


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (respond(404, "<html>some other host"), RunComfyUnavailableError),  # not RunComfy's own answer
        (respond(200, "<html>welcome"), RunComfyUnavailableError),
        (respond(200, {"status": "ok"}), RunComfyUnavailableError),
        (respond(200, {"error_code": 400001, "error_message": "no such model"}), ModelGoneError),
        (respond(200, {"error_code": 404001}), ModelGoneError),
        (respond(500, "<html>{token}"), RunComfyUnavailableError),
        (respond(200, {"input_schema": {}, "pricing_note": "x" * 2**20}), RunComfyUnavailableError),
        (respond(401, {"message": "no"}), RunComfyAuthError),
    ],
)
async def test_answers_without_a_model(
    runcomfy: LocalRunComfy, client: RunComfyClient, fault: Fault, error: type[Exception]
) -> None:
    runcomfy.inject_fault("model", fault)
    with pytest.raises(error):
        await client.model(MODEL)


async def test_unusable_fields_count_as_missing(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    unusable = {
        "base_price_usd": "a lot",
        "categories": {"text-to-image": 1},
        "price_unit": 7,
        "pricing_note": "word " * 1000,
        "display_name": None,
    }
    runcomfy.inject_fault("model", edit_json(lambda body: body.update(unusable)))
    model = await client.model(MODEL)
    assert (model.base_price, model.image_price, model.price_unit) == (None, None, None)
    assert (model.categories, model.display_name, len(model.pricing_note)) == ((), "", 500)


async def test_price_per_second_is_not_an_images(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    changes = {"price_unit": "second", "categories": ["text-to-video"]}
    runcomfy.inject_fault("model", edit_json(lambda body: body.update(changes)))
    model = await client.model(MODEL)
    assert (model.base_price, model.image_price, model.output_kinds) == (Decimal("0.05"), None, {"video"})


@pytest.mark.parametrize(
    "model_id",
    ["../requests/x", "google/../x", "google", "google//x", "a/b?c", "a/b%2e", "/a/b", "a/.b", "a/b/"],
)
async def test_impossible_names_are_not_sent(
    runcomfy: LocalRunComfy, client: RunComfyClient, model_id: str
) -> None:
    with pytest.raises(ValueError, match="not a possible model_id"):
        await client.model(model_id)
    assert runcomfy.calls == []
