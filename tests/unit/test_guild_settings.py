"""Server settings: round trip, validation and invalid stored values."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bot.domain.guild_settings import GuildSettings
from bot.domain.time_zones import find_time_zone
from cogs.settings.specs import SPECS

SWITCHES = {
    name: not field.default
    for name, field in GuildSettings.model_fields.items()
    if isinstance(field.default, bool)
}
FULL = GuildSettings(
    **SWITCHES,
    timezone="Europe/Berlin",
    allowed_channels=frozenset({1, 2}),
    forbidden_channels=frozenset({3}),
    allowed_roles=frozenset({4}),
    blocked_members=frozenset({5}),
    moderator_blocks={5: 6},
    highest_resolution="2K",
    most_images=2,
    picture_roles=frozenset({7}),
    forbidden_models=frozenset({"a/b"}),
    model_roles={"a/c": frozenset({8, 9})},
    strictest_safety=2,
    loosest_safety=4,
    channel_safety={1: 6},
    forbidden_words=("fox", "/f+x/"),
    default_options={"resolution": "0.5K", "num_images": 2, "limit_generations": False, "strength": 0.5},
    log_channel=6,
)
INVALID: dict[str, list[object]] = {
    "timezone": ["Europe/Nowhere", "", 5, None, "../etc/passwd", "UTC+15", "UTC+3:60"],
    "allowed_channels": ["abc", [0], [-1], [2**63], [None], {}, list(range(1, 27))],
    "blocked_members": [7, ["x"]],
    "moderator_blocks": [[], {"a": 1}, {"1": 0}],
    "highest_resolution": [2, "x" * 101, []],
    "most_images": [0, 101, "two", True, 1.5],
    "may_search_web": ["yes", 1, None],
    "may_use_pictures": ["no", 0],
    "forbidden_models": ["a/b", [1], ["x" * 101], list(map(str, range(26)))],
    "model_roles": [[], {"a/b": [0]}, {"x" * 101: [1]}, {"a/b": 5}],
    "loosest_safety": ["4", -1, True, 4.5],
    "channel_safety": [[], {"a": 1}, {"1": "2"}, {"1": None}],
    "forbidden_words": ["fox", [1], ["x" * 201], ["x" * 199] * 21],
    "default_options": [[], {"resolution": None}, {"resolution": ["2K"]}, {"a": "x" * 1001}],
    "log_channel": ["general", 0],
}


def test_full_settings_have_no_default_value() -> None:
    untouched = GuildSettings().model_dump()
    assert {name for name, value in FULL.model_dump().items() if value == untouched[name]} == set()


def test_every_setting_has_a_specification() -> None:
    assert set(SPECS) == set(GuildSettings.model_fields) - {"moderator_blocks"}


def test_a_member_whom_managers_unblocked_is_no_longer_a_moderators_to_unblock() -> None:
    settings = GuildSettings(blocked_members=frozenset({1, 2}), moderator_blocks={1: 9, 2: 9})
    unblocked = settings.with_changes(blocked_members={2})
    assert unblocked.moderator_blocks == {2: 9}
    assert unblocked.with_changes(blocked_members={1, 2}).moderator_blocks == {2: 9}


def test_settings_round_trip() -> None:
    assert GuildSettings.parse(FULL.model_dump_json()) == (FULL, [])
    assert GuildSettings.parse("{}") == (GuildSettings(), [])


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in INVALID.items() for value in values]
)
def test_invalid_value_falls_back_alone(name: str, value: object) -> None:
    stored = json.loads(FULL.model_dump_json()) | {name: value, "of a later version": 1}
    settings, invalid = GuildSettings.parse(json.dumps(stored))
    assert invalid == [name]
    assert settings == FULL.model_copy(update={name: getattr(GuildSettings(), name)})


@pytest.mark.parametrize("stored", ["", "null", "[]", '"x"', "{", "[" * 100_000, '{"timezone": NaN}'])
def test_invalid_json_falls_back_to_defaults(stored: str) -> None:
    settings, invalid = GuildSettings.parse(stored)
    assert settings == GuildSettings()
    assert invalid


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(GuildSettings.model_fields)), json_values, max_size=4))
def test_parse_never_raises(values: dict[str, object]) -> None:
    settings, _ = GuildSettings.parse(json.dumps(values))
    assert GuildSettings.parse(settings.model_dump_json()) == (settings, [])


def test_changes_are_validated() -> None:
    assert FULL.with_changes(most_images=None) == FULL.model_copy(update={"most_images": None})
    for name, values in INVALID.items():
        with pytest.raises(ValidationError):
            FULL.with_changes(**{name: values[0]})


def test_zone_is_a_zoneinfo() -> None:
    assert FULL.zone == ZoneInfo("Europe/Berlin")
    assert GuildSettings().zone == ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *(("GMT+3", "UTC+3"), ("utc +3", "UTC+3"), ("+03:00", "UTC+3"), ("UTC\N{MINUS SIGN}3", "UTC-3")),
        *(("UTC+05:30", "UTC+05:30"), ("GMT-0330", "UTC-03:30"), ("gmt", "UTC"), ("GMT+0", "UTC")),
        *(("Etc/GMT-3", "UTC+3"), ("MSK", "Europe/Moscow"), ("мск+2", "UTC+5"), ("EST", "America/New_York")),
        *(
            (" europe/berlin", "Europe/Berlin"),
            ("berlin", "Europe/Berlin"),
            ("New  york", "America/New_York"),
        ),
        *(("Москва", "Europe/Moscow"), ("нью йорк", "America/New_York"), ("Киев", "Europe/Kyiv")),
        *(("São Paulo", "America/Sao_Paulo"), ("Istanbul", "Europe/Istanbul"), ("Kolkata", "Asia/Kolkata")),
        *(
            ("Nowhere", None),
            ("", None),
            ("UTC+15", None),
            ("UTC+05:07", None),
            ("CST", None),
            ("Unknown City", None),
        ),
    ],
)
def test_time_zones_as_people_type_them(typed: str, name: str | None) -> None:
    assert find_time_zone(typed) == name
    if name:
        assert GuildSettings.parse(json.dumps({"timezone": name}))[0].timezone == name


@pytest.mark.parametrize(
    ("stored", "name", "hour"),
    [("Etc/GMT-3", "UTC+3", 3), ("UTC+05:30", "UTC+05:30", 5), ("Etc/UTC", "UTC", 0)],
)
def test_fixed_zones_are_named_by_their_offset(stored: str, name: str, hour: int) -> None:
    settings = GuildSettings(timezone=stored)
    assert settings.timezone == name
    assert datetime(2026, 1, 1, tzinfo=UTC).astimezone(settings.zone).hour == hour
