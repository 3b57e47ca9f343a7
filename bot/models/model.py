"""A model, and the texts of its slash command within Discord's limits."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from bot.errors import InvalidOptionError
from bot.i18n import DEFAULT_LOCALE, LazyText, translate
from bot.models.file_inputs import share_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from bot.domain.job import InputFile, OptionValue
    from bot.models.file_inputs import FileInput
    from bot.models.options import Option
    from bot.models.pricing import Prices
    from bot.models.schema import ModelSchema

# The language of the titles and descriptions that RunComfy publishes; others are in our model files.
PUBLISHED_LOCALE: Final = "ru"

MAX_NAME: Final = 32
MAX_DESCRIPTION: Final = 100

# Discord's pattern for names (letters, digits, - and _, with the vowel signs of Hindi and Thai), negated:
# https://discord.com/developers/docs/interactions/application-commands#application-command-object
_INVALID_CHARACTERS = re.compile(r"[^-\w\u0900-\u0963\u0e01-\u0e3a\u0e40-\u0e4e]")
_PARENTHESIZED = re.compile(r"\([^()]*\)")


class OptionTexts(BaseModel, extra="forbid", frozen=True):
    """An option's texts in one language; missing ones come from the published schema."""

    title: str | None = None
    description: str | None = None


class ModelTexts(BaseModel, extra="forbid", frozen=True):
    """A model's command in one language."""

    description: str = ""
    options: dict[str, OptionTexts] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A RunComfy model and its slash command.

    `command` is its full name: one word, or two in a group. `texts` has Discord's locale codes as keys; other
    locales fall back to English.
    """

    command: str
    model_id: str
    texts: Mapping[str, ModelTexts]
    schema: ModelSchema
    prices: Prices
    output_schema: Mapping[str, Any]
    highest_multiple: Decimal | None = None
    """The most that an image can cost, as a multiple of RunComfy's base price; None if it is not known."""

    @property
    def group(self) -> str:
        """The first of two words of the command, "" if it has one."""
        return self.command.rpartition(" ")[0]

    @property
    def name(self) -> str:
        """The last word of the command."""
        return self.command.rpartition(" ")[2]

    @property
    def file_options(self) -> tuple[tuple[str, FileInput], ...]:
        """The command's attachment options by their English names, and the property that each one fills.

        Raises:
            ValueError: As `share_options`; not of a model in a catalogue.
        """
        return share_options(tuple(self.schema.files.values()))

    @property
    def picture_input(self) -> FileInput | None:
        """The property for a picture that a text says how to change; None if one picture isn't enough."""
        files = list(self.schema.files.values())
        needed = [file for file in files if file.required] or files[:1]
        if self.schema.main_text is None or len(needed) != 1 or needed[0].least > 1:
            return None
        return needed[0]

    def command_description(self, locale: str) -> str:
        """Return the command's description, one sentence."""
        own, english = self._texts(locale).description, self._texts(DEFAULT_LOCALE).description
        return own.strip() or english.strip() or f"Generate images with {self.model_id}"[:MAX_DESCRIPTION]

    def title(self, option: str, locale: str) -> str:
        """Return the option's display name, such as "Aspect ratio"."""
        titles = (_one_line(texts.title) for texts in self._option_texts(option, locale))
        return next(filter(None, titles), option)

    def description(self, option: str, locale: str) -> str:
        """Return what the option does and its default, in at most 100 characters."""
        text = whole = self._description(option, locale)
        if default := _default(self.schema.options[option]):
            said = default.translate(locale if locale in self.texts else DEFAULT_LOCALE)
            whole = f"{text[:-1]}; {said})" if text.endswith(")") else f"{text.removesuffix('.')} ({said})"
        return whole if len(whole) <= MAX_DESCRIPTION else _shorten(text)

    def option_names(self, locale: str) -> dict[str, str]:
        """Return {schema name: valid and unique name in the command}; in English both are the same."""
        names: dict[str, str] = {}
        for option in self.schema.options:
            name = option
            if locale in self.texts and locale != DEFAULT_LOCALE:
                name = slugify(self.title(option, locale)) or option
            names[option] = _unique_name(name, set(names.values()))
        return names

    def file_option_names(self, locale: str) -> dict[str, str]:
        """Return {English name: valid and unique name in the command} of the attachment options."""
        names: dict[str, str] = {}
        taken = set(self.option_names(locale).values())
        word = translate("file-option", locale if locale in self.texts else DEFAULT_LOCALE)
        for option, _ in self.file_options:
            names[option] = _unique_name(option.replace("image", word), taken)
            taken.add(names[option])
        return names

    def file_description(self, option: str, locale: str) -> str:
        """Return what an attachment option is for, in at most 100 characters."""
        filled = dict(self.file_options)
        file = filled[option]
        own = "" if file.is_list else self._description(file.name, locale)
        if own:
            return _shorten(own)
        is_first = next(name for name, each in filled.items() if each is file) == option
        key = "file-first" if is_first else "file-more"
        return translate(key, locale if locale in self.texts else DEFAULT_LOCALE)

    def check_files(self, files: Iterable[InputFile], locale: str) -> None:
        """Check how many pictures each property gets.

        Raises:
            InvalidOptionError: Too few, too many, or a property that the model doesn't have. Its `option` is
                the first attachment option of that property, as the command calls it in that locale.
        """
        counts = Counter(file.option for file in files)
        if unknown := counts.keys() - self.schema.files.keys():
            raise InvalidOptionError(option=unknown.pop(), problem=LazyText("problem-no-pictures"))
        names = self.file_option_names(locale)
        for name, file in self.schema.files.items():
            option = next((names[each] for each, filled in self.file_options if filled is file), name)
            if counts[name] > file.most:
                raise InvalidOptionError(
                    option=option, problem=LazyText("problem-too-many-pictures", {"wanted": file.most})
                )
            if counts[name] < file.least and (file.required or counts[name]):
                problem = LazyText("problem-too-few-pictures", {"wanted": file.least})
                raise InvalidOptionError(option=option, problem=problem)

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
        return self.texts.get(locale, self.texts[DEFAULT_LOCALE])

    def _description(self, option: str, locale: str) -> str:
        descriptions = (_one_line(texts.description) for texts in self._option_texts(option, locale))
        return next(filter(None, descriptions), None) or self.title(option, locale)

    def _option_texts(self, option: str, locale: str) -> list[OptionTexts]:
        """Return all texts of the option or file input, the preferred one first."""
        described = self.schema.options.get(option) or self.schema.files[option]
        own = self._texts(locale).options.get(option, OptionTexts())
        english = self._texts(DEFAULT_LOCALE).options.get(option, OptionTexts())
        published = OptionTexts(title=described.title, description=described.description)
        is_published = locale == PUBLISHED_LOCALE and locale in self.texts
        return [own, published, english] if is_published else [own, english, published]


def _default(option: Option) -> LazyText | None:
    if option.is_seed:
        return LazyText("option-default", {"value": LazyText("option-random")})
    if option.required or option.default in (None, ""):
        return None
    if isinstance(option.default, bool):
        return LazyText("option-default-on" if option.default else "option-default-off")
    return LazyText("option-default", {"value": str(option.default)})


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _shorten(text: str) -> str:
    if len(text) <= MAX_DESCRIPTION:
        return text
    cut = textwrap.shorten(text, MAX_DESCRIPTION, placeholder="…")
    return cut if len(cut) > 1 else text[: MAX_DESCRIPTION - 1] + "…"


def _unique_name(name: str, taken: set[str]) -> str:
    unique, number = name, 2
    while unique in taken:
        suffix = f"_{number}"
        unique, number = name[: MAX_NAME - len(suffix)] + suffix, number + 1
    return unique


def slugify(title: str) -> str:
    """Turn a title into a valid option name, without its parentheses; "" if no character is valid."""
    text = unicodedata.normalize("NFC", _PARENTHESIZED.sub(" ", title).lower())
    name = _INVALID_CHARACTERS.sub("", "_".join(text.split())).strip("_-")
    while len(name) > MAX_NAME and "_" in name:
        name = name.rpartition("_")[0]
    return name[:MAX_NAME]
