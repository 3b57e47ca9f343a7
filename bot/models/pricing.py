"""Prices of a model's images in credits, by the options that change them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.job import OptionValue
    from bot.models.options import Option
    from bot.models.schema import ModelSchema

Amount: TypeAlias = Annotated[Decimal, Field(strict=False, ge=0, le=1000, decimal_places=2)]
"""Credits in a model file, as text such as "1.5"."""

Multiple: TypeAlias = Annotated[Decimal, Field(strict=False, ge=1, le=1000, decimal_places=2)]
"""A multiple of a price in a model file, as text such as "16"."""


@dataclass(frozen=True, slots=True)
class Prices:
    """The credits that each value of an option adds to the price of an image."""

    table: Mapping[str, Mapping[str, Decimal]]

    @classmethod
    def parse(cls, table: Mapping[str, Mapping[str, Decimal]], schema: ModelSchema) -> Prices:
        """Validate a model file's table; without one, each image costs one credit.

        Raises:
            ValueError: An option or value is unknown or can't have a price, a price is missing, or an image
                would be free.
        """
        for name, prices in table.items():
            option = schema.options.get(name)
            if option is None:
                raise ValueError(f"credits.{name}: the model has no such option")
            known = _priced_values(option)
            if not known:
                raise ValueError(f"credits.{name}: only an option with choices can have prices")
            if unknown := [value for value in prices if value not in known]:
                raise ValueError(f"credits.{name}: the option has no such value: {', '.join(unknown)}")
            missing = [value for value in known if value not in prices and value not in {"true", "false"}]
            if missing:
                raise ValueError(f"credits.{name}: has no price for {', '.join(missing)}")
        parsed = cls(table)
        if not parsed.range(schema)[0]:
            raise ValueError("credits: the cheapest image would be free")
        return parsed

    def range(self, schema: ModelSchema) -> tuple[Decimal, Decimal]:
        """Return the lowest and the highest price of an image."""
        if not self.table:
            return Decimal(1), Decimal(1)
        low = high = Decimal(0)
        for name, prices in self.table.items():
            option = schema.options[name]
            values = [prices.get(value, Decimal(0)) for value in _priced_values(option)]
            is_always_sent = option.required or option.default is not None
            low += min(values) if is_always_sent else 0
            high += max(values)
        return low, high

    def credits_per_image(self, values: Mapping[str, OptionValue]) -> Decimal:
        """Return the price of one image of such an input."""
        if not self.table:
            return Decimal(1)
        chosen = ((prices, values[name]) for name, prices in self.table.items() if name in values)
        return sum((prices.get(_price_key(value), Decimal(0)) for prices, value in chosen), Decimal(0))


def _priced_values(option: Option) -> list[str]:
    values = (True, False) if option.type == "boolean" else option.choices
    return [_price_key(value) for value in values]


def _price_key(value: OptionValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
