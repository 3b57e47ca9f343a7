"""The local RunComfy's prices. They are invented: RunComfy's documentation names almost none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playground.runcomfy.outputs import image_count

if TYPE_CHECKING:
    from playground.runcomfy.faults import Body

_BASE_PRICES = {  # US dollars, by the start of the model_id
    "google/nano-banana-2-lite/": 0.02,
    "bytedance/seedream-5.0-pro/": 0.04,
    "openai/gpt-image-2/": 0.06,
    "qwen/qwen-image-2.1/": 0.03,
}
_BASE_PRICE = 0.05
_MULTIPLES = {
    "resolution": {"0.5k": 0.75, "1k": 1.0, "2k": 1.5, "4k": 2.0},
    "quality": {"low": 0.5, "medium": 1.0, "high": 2.0, "xhigh": 3.0, "max": 4.0},
}


def base_price(model_id: str) -> float:
    """Return the price of an image in US dollars."""
    found = [price for start, price in _BASE_PRICES.items() if model_id.startswith(start)]
    return found[0] if found else _BASE_PRICE


def pricing_note(input_schema: Body) -> str:
    """Describe in prose how the options change the price, as RunComfy does."""
    notes = [
        f"{choice} costs {_multiple(name, choice):g} times the base price"
        for name in _MULTIPLES
        for choice in input_schema["properties"].get(name, {}).get("enum", ())
        if _multiple(name, choice) != 1
    ]
    return ". ".join(notes or ["Every image costs the base price"]) + "."


def request_cost(price: float, options: Body, highest_multiple: float | None) -> float:
    """Return the cost of a request in US dollars, by its base price and its options with their defaults."""
    multiple = 1.0
    for name in _MULTIPLES:
        multiple *= _multiple(name, options.get(name))
    if highest_multiple is not None:
        multiple = min(multiple, highest_multiple)
    return round(price * multiple * image_count(options), 4)


def _multiple(name: str, choice: object) -> float:
    return _MULTIPLES[name].get(str(choice).lower(), 1.0)
