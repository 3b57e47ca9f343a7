"""The form of Edit, Vary, Upscale and the menu Edit image: instruction, strength and picture, as needed.

A modal takes five components and a text input 4,000 characters:
https://discord.com/developers/docs/components/reference
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import discord
from discord import ui

from bot.discord.attachments import SentFile
from bot.discord.markdown import truncate
from bot.discord.views.components import walk_components
from bot.discord.views.job_buttons import JobAction
from bot.errors import InvalidOptionError, PolicyError
from bot.i18n import LazyText, translate
from bot.models.options import Option
from bot.models.schema import is_blank

SUBTLE: Final = "vary-subtle"
STRONG: Final = "vary-strong"

_INSTRUCTION, _STRENGTH, _PICTURE, _UPLOAD = "instruction", "strength", "image", "file"
_TEXT_MAX: Final = 4000
_LINE_MAX: Final = 100


@dataclass(frozen=True)
class Filled:
    """What a member filled in, within the bounds of the form."""

    instruction: str | None = None
    strength: str | None = None
    chosen: tuple[int, ...] = ()
    """Keys of `PictureForm.pictures`."""
    upload: SentFile | None = None


@dataclass(frozen=True, kw_only=True)
class PictureForm:
    """A form with only the fields that are needed; one picture needs no choice, and none asks for a file."""

    action: JobAction
    """Whose label is its title."""
    credits: Decimal
    """What the request costs."""
    pictures: Mapping[int, str]
    """The names of the pictures to choose from, by number."""
    most_pictures: int = 1
    instruction: Option | None = None
    """The model's option that the instruction goes into."""
    has_strength: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to fill in."""
        return not self._fields

    @property
    def _fields(self) -> tuple[str, ...]:
        needed = {
            _INSTRUCTION: self.instruction is not None,
            _STRENGTH: self.has_strength,
            _PICTURE: len(self.pictures) > 1,
            _UPLOAD: not self.pictures,
        }
        return tuple(name for name, is_needed in needed.items() if is_needed)

    @property
    def _max_length(self) -> int:
        most = self.instruction.max_length if self.instruction else None
        return min(_TEXT_MAX, most or _TEXT_MAX)

    def modal(self, custom_id: str, locale: str) -> ui.Modal:
        """Return the form; discord.py keeps no state for it."""
        modal = ui.Modal(title=self.action.label(locale), custom_id=custom_id)
        price: str | None = translate("cost", locale, credits=self.credits)
        for name in self._fields:
            text, component = self._field(name, locale)
            modal.add_item(ui.Label(text=text, description=price, component=component))
            price = None  # only beside the first field
        modal.stop()
        return modal

    def _field(self, name: str, locale: str) -> tuple[str, ui.Item[Any]]:
        """Return a field's label and component."""
        if name == _INSTRUCTION:
            box: ui.TextInput[Any] = ui.TextInput(
                custom_id=name,
                style=discord.TextStyle.paragraph,
                placeholder=translate("placeholder-instruction", locale),
                min_length=1,
                max_length=self._max_length,
            )
            return translate("label-instruction", locale), box
        if name == _UPLOAD:
            return translate("label-file", locale), ui.FileUpload(custom_id=name)
        if name == _STRENGTH:
            strengths = {
                SUBTLE: translate("choose-subtle", locale),
                STRONG: translate("choose-strong", locale),
            }
            return translate("label-strength", locale), _select(name, strengths)
        pictures = {str(number): _line(number, text, locale) for number, text in self.pictures.items()}
        return translate("label-image", locale), _select(name, pictures, self.most_pictures)

    def parse(self, data: dict[str, Any]) -> Filled:
        """Return what was filled in.

        Raises:
            PolicyError: It has other fields or choices than this form (`form-outdated`), or a file that
                can't be read (`unreadable`).
            InvalidOptionError: The instruction is longer than the form takes.
        """
        sent = [part for part in walk_components(data.get("components")) if "custom_id" in part]
        by_name = {str(part["custom_id"]): part for part in sent}
        if len(sent) != len(by_name) or set(by_name) != set(self._fields):
            raise PolicyError("form-outdated")
        strength, upload = _value(by_name.get(_STRENGTH)), _value(by_name.get(_UPLOAD))
        if strength not in {None, SUBTLE, STRONG}:
            raise PolicyError("form-outdated")
        return Filled(
            instruction=self._instruction(by_name.get(_INSTRUCTION)),
            strength=strength,
            chosen=self._chosen(by_name.get(_PICTURE)),
            upload=None if upload is None else SentFile.parse(data, upload),
        )

    def _instruction(self, part: dict[str, Any] | None) -> str | None:
        if part is None:
            return None
        text = part.get("value")
        if not isinstance(text, str):
            raise PolicyError("form-outdated")
        if len(text) > self._max_length:
            problem = LazyText("problem-maxLength", {"wanted": self._max_length})
            raise InvalidOptionError(option=LazyText("label-instruction"), problem=problem)
        return text

    def _chosen(self, part: dict[str, Any] | None) -> tuple[int, ...]:
        if part is None:
            return tuple(self.pictures)
        values = part.get("values")
        if not isinstance(values, list):
            raise PolicyError("form-outdated")
        chosen = tuple(number for number in self.pictures if str(number) in values)
        if len(chosen) != len(values) or not 1 <= len(chosen) <= self.most_pictures:
            raise PolicyError("form-outdated")
        return chosen


def _value(part: dict[str, Any] | None) -> str | None:
    """Return the only value of a field; None for a field that the form doesn't have."""
    match part:
        case None:
            return None
        case {"values": [str(value)]}:
            return value
    raise PolicyError("form-outdated")


def _line(number: int, name: str, locale: str) -> str:
    """Return a picture's name for the choice, which Discord refuses if nothing of it can be seen."""
    visible = "".join(filter(str.isprintable, name))
    if is_blank(visible):  # a link can end with a slash
        return translate("choose-image", locale, number=number)
    return truncate(visible, _LINE_MAX)


def _select(name: str, lines: Mapping[str, str], most: int = 1) -> ui.Select[Any]:
    """Return a select with the first line chosen."""
    first = next(iter(lines))
    options = [
        discord.SelectOption(label=text, value=value, default=value == first) for value, text in lines.items()
    ]
    return ui.Select(custom_id=name, options=options, max_values=min(most, len(lines)))
