"""The models and prices of the local RunComfy, and how tests change them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from playground.runcomfy import LocalRunComfy, respond, wait_for
from playground.runcomfy.catalogue import load_model_files, option_values
from playground.runcomfy.prices import base_price, request_cost
from tests.runcomfy.caller import Caller
from tests.runcomfy.helpers import MODEL

if TYPE_CHECKING:
    import aiohttp

MODEL_FILES = load_model_files()


@pytest.mark.parametrize("model_id", MODEL_FILES)
async def test_every_model_file_is_served(caller: Caller, model_id: str) -> None:
    status, entry = await caller.call("GET", f"/v1/models/{model_id}")
    schema = MODEL_FILES[model_id]["input_schema"]
    assert (status, entry["input_schema"], entry["price_unit"]) == (200, schema, "output")
    assert entry["base_price_usd"] > 0
    assert entry["pricing_note"]
    takes_files = any("format" in rules for rules in schema["properties"].values())
    assert entry["categories"] == ["image-to-image" if takes_files else "text-to-image"]


@pytest.mark.parametrize("model_id", MODEL_FILES)
def test_no_option_makes_an_image_cost_more_than_its_file_says(model_id: str) -> None:
    model = MODEL_FILES[model_id]
    most = model.get("highest_multiple")
    described = model["input_schema"]["properties"]
    dearest = {name: rules["enum"][-1] for name, rules in described.items() if "enum" in rules}
    options = option_values(dearest, model["input_schema"], model.get("unsent_defaults", ()))
    price = base_price(model_id)
    assert request_cost(price, options, float(most) if most else None) <= price * float(most or 8) + 1e-9


@pytest.mark.parametrize(
    ("options", "most", "cost"),
    [
        ({}, None, 0.05),
        ({"resolution": "0.5K"}, None, 0.0375),
        ({"resolution": "2k", "number_of_images": 3}, None, 0.225),
        ({"resolution": "4K", "num_images": 2}, None, 0.2),
        ({"quality": "high", "max_images": 2}, None, 0.2),
        ({"quality": "high", "resolution": "4k", "max_images": 2}, 3, 0.3),
    ],
)
def test_cost_follows_the_options(options: dict[str, object], most: float | None, cost: float) -> None:
    assert request_cost(0.05, options, most) == pytest.approx(cost)


def test_defaults_apply_unless_the_model_leaves_them_out() -> None:
    schema = {
        "properties": {
            "resolution": {"type": "string", "default": "2K"},
            "aspect_ratio": {"type": "string", "default": "1:1"},
            "seed": {"type": "integer", "default": None},
            "image": {"type": "string", "format": "image_uri"},
        }
    }
    sent = {"prompt": "a fox", "image": "data:", "new": 1}
    assert option_values(sent, schema, ["aspect_ratio"]) == {"prompt": "a fox", "resolution": "2K", "new": 1}


async def test_price_can_be_changed(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.catalogue[MODEL]["base_price_usd"] = 0.4
    assert (await caller.call("GET", f"/v1/models/{MODEL}"))[1]["base_price_usd"] == pytest.approx(0.4)
    assert (await caller.result(await caller.submit(num_images=2)))["cost"] == pytest.approx(0.8)
    del runcomfy.catalogue[MODEL]["base_price_usd"]
    assert "base_price_usd" not in (await caller.call("GET", f"/v1/models/{MODEL}"))[1]
    assert (await caller.result(await caller.submit()))["cost"] > 0


@pytest.mark.parametrize(("profile", "expected"), [("docs", (400, 400001)), ("http", (404, None))])
async def test_model_can_be_renamed(
    session: aiohttp.ClientSession, profile: Any, expected: tuple[int, int | None]
) -> None:

    async with LocalRunComfy(profile=profile) as runcomfy:
        caller = Caller(runcomfy, session)
        runcomfy.catalogue["google/nano-banana-3"] = runcomfy.catalogue.pop(MODEL)
        for method in ("GET", "POST"):
            status, body = await caller.call(method, f"/v1/models/{MODEL}", {"prompt": "a fox"})
            assert (status, body.get("error_code")) == expected
        assert (await caller.call("GET", "/v1/models/google/nano-banana-3"))[0] == 200
        await caller.submit("google/nano-banana-3")


async def test_schema_can_differ_from_the_file(runcomfy: LocalRunComfy, caller: Caller) -> None:
    schema = runcomfy.catalogue[MODEL]["input_schema"]
    schema["required"].append("style")
    schema["properties"]["style"] = {"type": "string"}
    schema["properties"]["resolution"]["enum"].remove("4K")
    schema["properties"]["count"] = schema["properties"].pop("num_images")
    assert (await caller.call("GET", f"/v1/models/{MODEL}"))[1]["input_schema"] == schema
    status, _ = await caller.call("POST", f"/v1/models/{MODEL}", {"prompt": "a fox"})
    assert status == 422
    await caller.submit(style="oil", count=4)
    async with LocalRunComfy() as other:
        assert "count" not in other.catalogue[MODEL]["input_schema"]["properties"], "others keep theirs"


async def test_fault_can_be_limited_to_a_model(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.catalogue["test/other"] = runcomfy.catalogue[MODEL]
    runcomfy.inject_fault("model test/other", respond(503, {}), times=None)
    runcomfy.inject_fault("submit test/other", respond(503, {}))
    for method, model_id, expected in (
        ("GET", MODEL, 200),
        ("GET", "test/other", 503),
        ("GET", "test/other", 503),
        ("POST", MODEL, 200),
        ("POST", "test/other", 503),
        ("POST", "test/other", 200),
    ):
        sent = {"prompt": "a fox"} if method == "POST" else None
        assert (await caller.call(method, f"/v1/models/{model_id}", sent))[0] == expected


async def test_response_can_wait_for_an_event(runcomfy: LocalRunComfy, caller: Caller) -> None:
    event = asyncio.Event()
    runcomfy.inject_fault("model", wait_for(event))
    slow = asyncio.create_task(caller.call("GET", f"/v1/models/{MODEL}"))
    await runcomfy.until(lambda: any(call.route == "model" for call in runcomfy.calls))
    assert (await caller.call("GET", f"/v1/models/{MODEL}"))[0] == 200
    assert not slow.done()
    event.set()
    assert (await slow)[0] == 200
