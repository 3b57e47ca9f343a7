"""A model and the texts of its slash command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import InvalidOptionError
from bot.models.localization import (
    MAX_DESCRIPTION,
    MAX_NAME,
    PUBLISHED_LOCALE,
    SOURCE_LOCALE,
    ModelTexts,
    OptionTexts,
    append_default,
    slugify,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.domain.job import OptionValue
    from bot.models.pricing import Prices
    from bot.models.schema import ModelSchema


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A RunComfy model and its slash command.

    `texts` has Discord's locale codes as keys; other locales fall back to English.
    """

    command: str
    model_id: str
    texts: Mapping[str, ModelTexts]
    schema: ModelSchema
    prices: Prices
    output_schema: Mapping[str, Any]

    def command_description(self, locale: str) -> str:
        """Return the command's description, one sentence."""
        own, english = self._texts(locale).description, self._texts(SOURCE_LOCALE).description
        return own.strip() or english.strip() or f"Make images with {self.model_id}"[:MAX_DESCRIPTION]

    def title(self, option: str, locale: str) -> str:
        """Return the option's display name, such as "Aspect ratio"."""
        titles = (texts.title for texts in self._option_texts(option, locale))
        return next(filter(None, titles), option)

    def description(self, option: str, locale: str) -> str:
        """Return what the option does and its default, in at most 100 characters."""
        descriptions = (texts.description for texts in self._option_texts(option, locale))
        text = next(filter(None, descriptions), None) or self.title(option, locale)
        return append_default(
            text, self.schema.options[option], locale if locale in self.texts else SOURCE_LOCALE
        )

    def option_names(self, locale: str) -> dict[str, str]:
        """Return {schema name: valid and unique name in the command}; in English both are the same."""
        names: dict[str, str] = {}
        for option in self.schema.options:
            name = option
            if locale in self.texts and locale != SOURCE_LOCALE:
                name = slugify(self.title(option, locale)) or option
            names[option] = _unique_name(name, set(names.values()))
        return names

    def clean(self, values: Mapping[str, object], locale: str) -> dict[str, OptionValue]:
        """Call `ModelSchema.clean`, but name the option of an error as the command does in that locale.

        Raises:
            InvalidOptionError: A required value is missing or blank, or a value breaks the schema.
        """
        try:
            return self.schema.clean(values)
        except InvalidOptionError as error:
            name, problem = error.values["option"], error.values["problem"]
            name = self.option_names(locale).get(str(name), name)
            raise InvalidOptionError(option=name, problem=problem) from None

    def _texts(self, locale: str) -> ModelTexts:
        return self.texts.get(locale, self.texts[SOURCE_LOCALE])

    def _option_texts(self, option: str, locale: str) -> list[OptionTexts]:
        """Return all texts of the option, the preferred one first."""
        described = self.schema.options[option]
        own = self._texts(locale).options.get(option, OptionTexts())
        english = self._texts(SOURCE_LOCALE).options.get(option, OptionTexts())
        published = OptionTexts(title=described.title, description=described.description)
        is_published = locale == PUBLISHED_LOCALE and locale in self.texts
        return [own, published, english] if is_published else [own, english, published]


def _unique_name(name: str, taken: set[str]) -> str:
    number = 2
    unique = name
    while unique in taken:
        suffix = f"_{number}"
        unique = name[: MAX_NAME - len(suffix)] + suffix
        number += 1
    return unique
