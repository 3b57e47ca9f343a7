"""A model as RunComfy lists it now, and why one can't be offered."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

MODEL_ID = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
"""Names of models, safe in a URL's path and as a path of folders."""
# RunComfy's own clients read the kind of output from the end of a category, such as "text-to-image".
_KIND = re.compile(r"\b(image|video|audio)\Z")


@dataclass(frozen=True, slots=True)
class LiveModel:
    """RunComfy's entry of a model; what is missing or unusable is None or empty."""

    model_id: str | None
    """RunComfy's own name for it, which differs from the one it was asked for if the model was renamed."""
    display_name: str
    input_schema: Mapping[str, Any] | None
    base_price: Decimal | None
    """In US dollars, per `price_unit`."""
    price_unit: str | None
    """RunComfy uses "output" (an image) and "second"."""
    pricing_note: str
    """How options change the price, in prose."""
    categories: tuple[str, ...]

    @property
    def image_price(self) -> Decimal | None:
        """The price of an image; None if there is none, or if something else is paid for."""
        return self.base_price if self.price_unit in {None, "output"} else None

    @property
    def output_kinds(self) -> set[str]:
        """The kinds of files that the model makes ("image", "video", "audio"), as far as categories tell."""
        return {match[1] for each in self.categories if (match := _KIND.search(each.lower()))}


@dataclass(frozen=True, slots=True)
class Reading:
    """What RunComfy said about a model when it was read last."""

    entry: LiveModel | None
    """None if RunComfy did not know the model."""
    list_price: Decimal | None
    """The last plausible price of an image, even if the entry has none; None if there never was one."""
    read_at: datetime


def is_plausible_price(price: Decimal) -> bool:
    """Return whether an image can cost this; with 0, a budget would never be exceeded."""
    return Decimal("0.001") <= price <= Decimal(10)
