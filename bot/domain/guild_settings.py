"""The settings of one server: frozen, typed, and parsed so that one invalid value affects no other."""

from __future__ import annotations

import json
from functools import cache
from typing import Annotated, Any, Self, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
)

LISTED_MAX = 25
"""How many channels, roles or members a list holds: what Discord lets people choose at once."""
WORDS_MAX = 4000
"""How many characters all forbidden words have together, line breaks included: what a form takes."""
WORD_MAX = 200
"""How many characters one of them has."""
TEXT_MAX = 1000
"""How many characters a default option has that is free text."""


@cache
def _zones() -> dict[str, str]:
    """Every IANA name as people may write it, which takes a walk through a folder of files."""
    return {_simple(name): name for name in sorted(available_timezones())}


def _simple(name: str) -> str:
    return "_".join(name.casefold().split())


def find_time_zone(text: str) -> str | None:
    """The IANA name that somebody means by "europe/berlin" or "New York"; None where there is no such one."""
    name, zones = _simple(text), _zones()
    cities = [each for each in zones if each.rpartition("/")[2] == name]
    return zones.get(name) or (zones[cities[0]] if len(cities) == 1 else None)


def _zone(name: str) -> str:
    if _zones().get(_simple(name)) != name:
        raise ValueError("there is no such time zone")
    return name


def _words(words: tuple[str, ...]) -> tuple[str, ...]:
    if sum(len(word) + 1 for word in words) > WORDS_MAX or any(len(word) > WORD_MAX for word in words):
        raise ValueError("too many or too long")
    return words


_Id: TypeAlias = Annotated[int, Field(gt=0, lt=2**63)]
_Ids: TypeAlias = Annotated[
    frozenset[_Id], Field(max_length=LISTED_MAX), PlainSerializer(sorted, when_used="json")
]
_Level: TypeAlias = Annotated[StrictInt, Field(ge=0, le=100)]
_Default: TypeAlias = (
    Annotated[StrictStr, Field(max_length=TEXT_MAX)]
    | StrictBool
    | StrictInt
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
)


class GuildSettings(BaseModel):
    """A server's settings; each has a default under which the bot does as if there were no settings."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    timezone: Annotated[StrictStr, AfterValidator(_zone)] = "UTC"
    """An IANA name, such as "Europe/Berlin": when hours, days, weeks and months begin here."""
    allowed_channels: _Ids = frozenset()
    """Where images may be made; empty: everywhere. A thread counts as the channel that it belongs to."""
    forbidden_channels: _Ids = frozenset()
    """Where they may not, whatever else is allowed."""
    allowed_roles: _Ids = frozenset()
    """Who may make them: everybody who has one of these; empty: everybody."""
    blocked_members: _Ids = frozenset()
    """Who may not, whatever roles they have."""
    highest_resolution: Annotated[StrictStr, Field(max_length=100)] | None = None
    """A value of a model's option `resolution`, whose order is from low to high; None: any."""
    most_images: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    """How many images one order may have."""
    may_search_web: StrictBool = True
    strictest_safety: _Level | None = None
    """The lowest `safety_tolerance`, which is the strictest, that may be chosen."""
    loosest_safety: _Level | None = None
    """The highest one, which lets most through."""
    channel_safety: Annotated[dict[_Id, _Level], Field(max_length=LISTED_MAX)] = {}
    """What is the highest one in single channels; a higher one than elsewhere holds only where Discord shows
    the channel to adults alone."""
    is_spoiler: StrictBool = False
    """Whether images are hidden until somebody clicks them."""
    is_private: StrictBool = False
    """Whether whoever ordered is the only one who sees the images."""
    forbidden_words: Annotated[tuple[StrictStr, ...], AfterValidator(_words)] = ()
    """Words and phrases that no prompt can have, and patterns between slashes."""
    default_options: Annotated[dict[StrictStr, _Default], Field(max_length=LISTED_MAX)] = {}
    """Values of options that nobody chose, by the options' names; they come before the models' defaults."""
    log_channel: _Id | None = None
    """Where it is told who did what."""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which this server's hours, days, weeks and months begin."""
        return ZoneInfo(self.timezone)

    def with_changes(self, **changes: Any) -> Self:
        """These settings with others in place of some.

        Raises:
            ValidationError: A value is none that the setting takes.
        """
        return self.model_validate(self.model_dump() | changes)

    @classmethod
    def parse(cls, stored: str) -> tuple[Self, list[str]]:
        """Settings from their JSON, and the names of those that are invalid and stand at their defaults."""
        values = stored_values(stored)
        if values is None:
            return cls(), ["all"]
        invalid: set[str] = set()
        try:
            return cls.model_validate(values), []
        except ValidationError as error:
            invalid |= {str(each["loc"][0]) for each in error.errors(include_url=False, include_input=False)}
        return cls.model_validate({name: values[name] for name in values.keys() - invalid}), sorted(invalid)


def stored_values(stored: str) -> dict[str, Any] | None:
    """The values of a stored JSON object; None where it is none."""
    try:
        values = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
