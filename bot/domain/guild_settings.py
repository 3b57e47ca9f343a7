"""The settings of one server: frozen, typed, and parsed so that one invalid value affects no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

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

from bot.domain.time_zones import canonical_name, to_tzinfo

if TYPE_CHECKING:
    from datetime import tzinfo

LISTED_MAX = 25
"""Entries of a list of channels, roles or members: the most that a Discord select takes."""
WORDS_MAX = 4000
"""Characters of all forbidden words together, line breaks included: the most that a modal field takes."""
WORD_MAX = 200
"""Characters of one forbidden word."""
TEXT_MAX = 1000
"""Characters of a default option that is free text."""


def fits_word_limits(words: tuple[str, ...]) -> bool:
    """Return whether forbidden words respect `WORD_MAX` and `WORDS_MAX`."""
    return sum(len(word) + 1 for word in words) <= WORDS_MAX and all(len(word) <= WORD_MAX for word in words)


def _words(words: tuple[str, ...]) -> tuple[str, ...]:
    if not fits_word_limits(words):
        raise ValueError("too many or too long words")
    return words


_Id: TypeAlias = Annotated[int, Field(gt=0, lt=2**63)]
_Ids: TypeAlias = Annotated[
    frozenset[_Id], Field(max_length=LISTED_MAX), PlainSerializer(sorted, when_used="json")
]
_ModelId: TypeAlias = Annotated[StrictStr, Field(max_length=100)]
_Level: TypeAlias = Annotated[StrictInt, Field(ge=0, le=100)]
_Default: TypeAlias = (
    Annotated[StrictStr, Field(max_length=TEXT_MAX)]
    | StrictBool
    | StrictInt
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
)


class GuildSettings(BaseModel):
    """A server's settings. The defaults restrict nothing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    timezone: Annotated[StrictStr, AfterValidator(canonical_name)] = "UTC"
    """A name of `bot.domain.time_zones`; hours, days, weeks and months start in it."""
    allowed_channels: _Ids = frozenset()
    """Channels where images can be generated; empty means all. A thread counts as its parent."""
    forbidden_channels: _Ids = frozenset()
    """Channels where they can't; takes precedence over `allowed_channels`."""
    allowed_roles: _Ids = frozenset()
    """Roles that allow their members to generate images; empty means everyone."""
    blocked_members: _Ids = frozenset()
    """Members who can't generate images, regardless of their roles."""
    moderator_blocks: Annotated[dict[_Id, _Id], Field(max_length=LISTED_MAX)] = {}
    """Those of them whom a moderator blocked, and who that was; moderators can unblock them."""
    highest_resolution: Annotated[StrictStr, Field(max_length=100)] | None = None
    """A value of a model's option `resolution`, which lists them from low to high; None means any."""
    most_images: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    """Images per job; None means any number."""
    may_search_web: StrictBool = True
    may_use_pictures: StrictBool = True
    """Whether images can be made from pictures."""
    picture_roles: _Ids = frozenset()
    """Roles that allow that to their members; empty means everyone."""
    forbidden_models: Annotated[
        frozenset[_ModelId], Field(max_length=LISTED_MAX), PlainSerializer(sorted, when_used="json")
    ] = frozenset()
    """Models that no one can use."""
    model_roles: Annotated[dict[_ModelId, _Ids], Field(max_length=LISTED_MAX)] = {}
    """By model, the roles that allow it to their members; every other model is allowed to everyone."""
    strictest_safety: _Level | None = None
    """The lowest, which is the strictest, `safety_tolerance` that can be chosen; None means any."""
    loosest_safety: _Level | None = None
    """The highest `safety_tolerance`, which lets most through; None means any."""
    channel_safety: Annotated[dict[_Id, _Level], Field(max_length=LISTED_MAX)] = {}
    """The highest one by channel; above `loosest_safety` it applies only if the channel is age-restricted."""
    is_spoiler: StrictBool = False
    """Whether images are spoilers."""
    is_private: StrictBool = False
    """Whether only the requester sees the images."""
    forbidden_words: Annotated[tuple[StrictStr, ...], AfterValidator(_words)] = ()
    """Words and phrases that no prompt can contain, and patterns between slashes."""
    default_options: Annotated[dict[StrictStr, _Default], Field(max_length=LISTED_MAX)] = {}
    """Defaults by option name; they take precedence over the models' own."""
    log_channel: _Id | None = None
    """The channel of the audit log."""

    @property
    def zone(self) -> tzinfo:
        """The server's time zone."""
        return to_tzinfo(self.timezone)

    def with_changes(self, **changes: Any) -> Self:
        """Return a copy with some settings replaced.

        Raises:
            ValidationError: A value is invalid.
        """
        after = self.model_validate(self.model_dump() | changes)
        blocks = {key: by for key, by in after.moderator_blocks.items() if key in after.blocked_members}
        return after.model_copy(update={"moderator_blocks": blocks})

    @classmethod
    def parse(cls, stored: str) -> tuple[Self, list[str]]:
        """Parse stored JSON; return the settings, and the names of invalid ones, which get their defaults."""
        values = stored_values(stored)
        if values is None:
            return cls(), ["all"]
        try:
            return cls.model_validate(values), []
        except ValidationError as error:
            invalid = {str(each["loc"][0]) for each in error.errors(include_url=False, include_input=False)}
        return cls.model_validate({name: values[name] for name in values.keys() - invalid}), sorted(invalid)


def stored_values(stored: str) -> dict[str, Any] | None:
    """Return a stored JSON object; None if it is anything else."""
    try:
        values = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None
