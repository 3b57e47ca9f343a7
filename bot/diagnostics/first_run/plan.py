"""The requests that can be paid for, and what each costs at most."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw

from bot.media.input_image import DATA_URI_PREFIX
from bot.models.schema import IMAGE_COUNT_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from pydantic import JsonValue

    from bot.domain.job import OptionValue
    from bot.models.model import Model

SIZE: Final = "0.5K"
_PICTURE_SIDE: Final = 512  # some models refuse smaller pictures


@dataclass(frozen=True, slots=True)
class Plan:
    """One request for one small image: its input as the bot would send it, and its price."""

    model: Model
    base_price: Decimal | None
    """RunComfy's price of an image in US dollars, or None if there is none."""
    options: Mapping[str, OptionValue]
    files: Mapping[str, JsonValue] = field(default_factory=dict)

    @classmethod
    def for_image(cls, model: Model, base_price: Decimal | None, text: str) -> Plan:
        """Plan an image from a text."""
        chosen: dict[str, OptionValue] = {"resolution": SIZE, **dict.fromkeys(IMAGE_COUNT_OPTIONS, 1)}
        chosen = {name: value for name, value in chosen.items() if model.schema.accepts(name, value)}
        if main := model.schema.main_text:
            chosen[main.name] = text
        return cls(model, base_price, model.schema.clean(chosen))

    @classmethod
    def for_edit(cls, model: Model, base_price: Decimal | None, text: str) -> Plan:
        """Plan an edit of a small drawing, which goes along as a data URI.

        Raises:
            ValueError: The model doesn't change pictures.
        """
        file, picture = model.picture_input, _draw_picture()
        if file is None:
            raise ValueError("the model has no picture_input")
        files: dict[str, JsonValue] = {file.name: [picture] if file.is_list else picture}
        return replace(cls.for_image(model, base_price, text), files=files)

    @property
    def values(self) -> dict[str, JsonValue]:
        """The input for RunComfy."""
        return {**self.options, **self.files}

    @property
    def cost_max(self) -> Decimal | None:
        """The most that it can cost, or None if that is unknown."""
        return self.base_price and self.base_price * max(self.model.highest_multiple or 1, 1)

    @property
    def cost_estimate(self) -> Decimal | None:
        """What it should cost by the credits of the model's file, or None if that is unknown."""
        return self.base_price and self.base_price * self.model.prices.credits_per_image(self.options)

    @property
    def cost_text(self) -> str:
        """What it costs, as a sentence."""
        if self.base_price is None:
            return "RunComfy names no price for it, so what it costs is unknown."
        return (
            f"It should cost about ${self.cost_estimate:.4f}; the most that an image of this model can cost"
            f" is ${self.cost_max:.4f}."
        )

    @property
    def free_choice(self) -> str | None:
        """An option with choices that don't change the price; None if there is none."""
        options = self.model.schema.options.values()
        names = (option.name for option in options if option.choices and option.type == "string")
        return next((name for name in names if name not in self.model.prices.table), None)


def _draw_picture() -> str:
    """Return a drawing of an apple as a data URI of a few kB."""
    picture = Image.new("RGB", (_PICTURE_SIDE, _PICTURE_SIDE), "white")
    side = _PICTURE_SIDE // 4
    ImageDraw.Draw(picture).ellipse((side, side, 3 * side, 3 * side), fill="red")
    file = io.BytesIO()
    picture.save(file, "png", optimize=True)
    return (DATA_URI_PREFIX + base64.b64encode(file.getvalue())).decode()
