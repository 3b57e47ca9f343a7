"""Server rules applied to a job's options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bot.domain.guild_settings import GuildSettings
from bot.errors import InvalidOptionError, PolicyError, UserError
from bot.models.catalogue import Catalogue, Model
from bot.models.schema import ModelSchema
from bot.policy.rules import allowed_values, apply_policy, check_words
from tests.factories import CHANNEL, MEMBER, make_requester

if TYPE_CHECKING:
    from bot.domain.job import Input

MODEL = Catalogue.load().by_command["imagine"]
HERE = CHANNEL + 1
NAME = {"option": MODEL.option_names("ru")["safety_tolerance"]}
SEARCHING = {"enable_web_search": True}
OPTIONS: dict[str, list[Any]] = {
    "resolution": ["0.5K", "1K", "2K", "4K"],
    "num_images": [1, 2, 3, 4],
    "safety_tolerance": [1, 2, 3, 4, 5, 6],
    "enable_web_search": [True, False],
}


async def apply(
    chosen: dict[str, object] | None = None, asker: dict[str, Any] | None = None, **rules: Any
) -> Input:
    settings, who, values = (
        GuildSettings(**rules),
        make_requester(**asker or {}),
        {"prompt": "a fox", **(chosen or {})},
    )
    complete = apply_policy(settings, who, MODEL, values)
    await check_words(settings, MODEL, complete)
    return complete


async def test_without_settings_the_models_defaults_apply() -> None:
    made = await apply({"seed": 5, "num_images": 2})
    assert made == MODEL.schema.clean({"prompt": "a fox", "seed": 5, "num_images": 2})


@pytest.mark.parametrize(
    ("rules", "chosen", "key", "values"),
    [
        ({"highest_resolution": "1K"}, {"resolution": "2K"}, "resolution-forbidden", {"highest": "1K"}),
        ({"most_images": 2}, {"num_images": 3}, "too-many-images", {"most": 2}),
        ({"may_search_web": False}, {"enable_web_search": True}, "web-search-forbidden", {}),
        (
            {"loosest_safety": 3},
            {"safety_tolerance": 4},
            "safety-forbidden",
            NAME | {"lowest": "1", "highest": "3"},
        ),
        (
            {"strictest_safety": 3},
            {"safety_tolerance": 2},
            "safety-forbidden",
            NAME | {"lowest": "3", "highest": "6"},
        ),
        ({"forbidden_words": ("fox",)}, {}, "words-forbidden", {}),
        ({"blocked_members": {MEMBER}}, {}, "member-blocked", {"by": "manager"}),
        (
            {"blocked_members": {MEMBER}, "moderator_blocks": {MEMBER: 1}},
            {},
            "member-blocked",
            {"by": "moderator"},
        ),
        ({"allowed_roles": {7, 8}}, {}, "role-needed", {"roles": "<@&7>, <@&8>"}),
        ({"allowed_channels": {7, 8}}, {}, "channel-forbidden", {"channels": "<#7>, <#8>"}),
        (
            {"allowed_channels": {7, 8}, "forbidden_channels": {8}},
            {},
            "channel-forbidden",
            {"channels": "<#7>"},
        ),
        ({"forbidden_channels": {HERE}}, {}, "channel-forbidden", {"channels": "none"}),
        (
            {"allowed_channels": {HERE}, "forbidden_channels": {HERE}},
            {},
            "channel-forbidden",
            {"channels": "none"},
        ),
    ],
)
async def test_refused(
    rules: dict[str, Any], chosen: dict[str, object], key: str, values: dict[str, Any]
) -> None:
    with pytest.raises(PolicyError) as refused:
        await apply(chosen, **rules)
    assert refused.value.key == key
    assert refused.value.values == values


@pytest.mark.parametrize(
    ("rules", "asker"),
    [
        ({"allowed_roles": {7, 8}}, {"role_ids": frozenset({8, 9})}),
        ({"allowed_channels": {HERE}}, {}),
        ({"allowed_channels": {5}}, {"parent_channel_id": 5}),
        ({"forbidden_channels": {5}}, {}),
        ({"blocked_members": {5}}, {}),
        ({"forbidden_words": ("bear",)}, {}),
    ],
)
async def test_allowed(rules: dict[str, Any], asker: dict[str, Any]) -> None:
    assert await apply(None, asker, **rules)


async def test_thread_counts_as_its_channel() -> None:
    with pytest.raises(PolicyError, match="channel-forbidden"):
        await apply(None, {"parent_channel_id": 5}, forbidden_channels={5})
    with pytest.raises(PolicyError, match="channel-forbidden"):
        await apply(None, {"parent_channel_id": 5}, allowed_channels={HERE})


@pytest.mark.parametrize(
    ("rules", "filled"),
    [
        ({"default_options": {"output_format": "webp"}}, {"resolution": "1K", "output_format": "webp"}),
        ({"default_options": {"resolution": "2K"}, "highest_resolution": "1K"}, {"resolution": "1K"}),
        ({"highest_resolution": "0.5K"}, {"resolution": "0.5K"}),
        ({"default_options": {"num_images": 4}, "most_images": 2}, {"num_images": 2}),
        ({"default_options": SEARCHING}, {"enable_web_search": True}),
        ({"default_options": SEARCHING, "may_search_web": False}, {"enable_web_search": False}),
        ({"loosest_safety": 2}, {"safety_tolerance": 2}),
        ({"strictest_safety": 6}, {"safety_tolerance": 6}),
        ({"strictest_safety": 5, "loosest_safety": 3}, {"safety_tolerance": 3}),
        (
            {"default_options": {"resolution": "9K", "num_images": True}},
            {"resolution": "1K", "num_images": 1},
        ),
        ({"default_options": {"prompt": "a bear", "seed": 4, "unknown": 1}}, {"prompt": "a fox"}),
        ({"highest_resolution": "8K"}, {"resolution": "1K"}),
    ],
)
async def test_defaults_are_clamped_to_the_rules(rules: dict[str, Any], filled: Input) -> None:
    made = await apply(**rules)
    assert {name: made[name] for name in filled} == filled
    assert made["seed"] != 4


async def test_chosen_value_beats_the_servers_default() -> None:
    made = await apply(
        {"resolution": "0.5K", "num_images": None}, default_options={"resolution": "2K", "num_images": 3}
    )
    assert (made["resolution"], made["num_images"]) == ("0.5K", 3)


@pytest.mark.parametrize(
    ("general", "own", "is_adult", "highest"),
    [
        (3, 5, True, 5),
        (3, 5, False, 3),
        (3, 2, False, 2),
        (3, 2, True, 2),
        (None, 5, False, 5),
        (3, None, True, 3),
    ],
)
async def test_channels_own_safety_tolerance(
    general: int | None, own: int | None, *, is_adult: bool, highest: int
) -> None:
    rules: dict[str, Any] = {"loosest_safety": general, "channel_safety": {HERE: own} if own else {}}
    asker = {"is_age_restricted": is_adult}
    assert await apply({"safety_tolerance": highest}, asker, **rules)
    with pytest.raises(PolicyError, match="safety-forbidden"):
        await apply({"safety_tolerance": highest + 1}, asker, **rules)


async def test_invalid_value_is_reported_by_the_schema() -> None:
    with pytest.raises(InvalidOptionError):
        await apply({"resolution": "9K"}, highest_resolution="1K")


async def test_rules_ignore_a_model_without_such_options() -> None:
    schema = ModelSchema.parse(
        {"required": ["prompt"], "properties": {"prompt": {"type": "string"}, "style": {"type": "string"}}}
    )
    model = Model(
        command="x", model_id="x/y", texts=MODEL.texts, schema=schema, prices=MODEL.prices, output_schema={}
    )
    rules = GuildSettings(highest_resolution="1K", most_images=1, may_search_web=False, loosest_safety=1)
    assert apply_policy(rules, make_requester(), model, {"prompt": "a fox"}) == {"prompt": "a fox"}
    with pytest.raises(PolicyError, match="words-forbidden"):
        await check_words(
            GuildSettings(forbidden_words=("bear",)), model, {"prompt": "a fox", "style": "bear"}
        )


async def test_rules_apply_to_numbers_without_choices() -> None:
    tolerance = {"type": "integer", "minimum": 0, "maximum": 10, "default": 5}
    schema = ModelSchema.parse(
        {
            "properties": {
                "safety_tolerance": tolerance,
                "number_of_images": {"type": "integer", "minimum": 1, "maximum": 8, "default": 4},
                "enable_web_search": {"type": "boolean"},
            }
        }
    )
    model = Model(
        command="x", model_id="x/y", texts=MODEL.texts, schema=schema, prices=MODEL.prices, output_schema={}
    )
    rules = GuildSettings(most_images=2, may_search_web=False, loosest_safety=3)
    assert apply_policy(rules, make_requester(), model, {}) == {
        "safety_tolerance": 3, "number_of_images": 2, "enable_web_search": False,
    }  # fmt: skip
    with pytest.raises(PolicyError, match="safety-forbidden") as refused:
        apply_policy(rules, make_requester(), model, {"safety_tolerance": 4})
    assert refused.value.values == {"option": "safety_tolerance", "lowest": "0", "highest": "3"}


@pytest.mark.parametrize(
    ("choices", "highest", "allowed"),
    [
        (["1k", "2k", "4k"], "2K", ["1k", "2k"]),
        (["1k", "2k", "4k"], "0.5K", []),
        (["480p", "720p", "1080p", "2160p"], "2K", ["480p", "720p", "1080p"]),
        (["768p", "2k"], "1K", []),
        (["720P", "1080P"], "4K", ["720P", "1080P"]),
        (["small", "large"], "small", ["small"]),
        (["small", "large"], "1K", ["small", "large"]),
    ],
)
def test_resolutions_compare_between_models(choices: list[str], highest: str, allowed: list[str]) -> None:
    schema = ModelSchema.parse(
        {"properties": {"resolution": {"type": "string", "enum": choices, "default": choices[0]}}}
    )
    model = Model(
        command="x", model_id="x/y", texts=MODEL.texts, schema=schema, prices=MODEL.prices, output_schema={}
    )
    rules = GuildSettings(highest_resolution=highest)
    assert allowed_values(rules, make_requester(), schema.options["resolution"]) == allowed
    for choice in choices:
        if choice in allowed:
            apply_policy(rules, make_requester(), model, {"resolution": choice})
        else:
            with pytest.raises(PolicyError, match="resolution-forbidden"):
                apply_policy(rules, make_requester(), model, {"resolution": choice})
    asked = GuildSettings(default_options={"resolution": choices[-1].swapcase()})
    is_known = "small" not in choices
    filled = apply_policy(asked, make_requester(), model, {})["resolution"]
    assert filled == choices[-1 if is_known else 0]


subset = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in OPTIONS.items()}
)


@hypothesis_settings(deadline=None)
@given(
    rules=st.fixed_dictionaries(
        {},
        optional={
            "highest_resolution": st.sampled_from(OPTIONS["resolution"]),
            "most_images": st.integers(1, 5),
            "may_search_web": st.booleans(),
            "strictest_safety": st.integers(0, 7),
            "loosest_safety": st.integers(1, 7),
            "channel_safety": st.dictionaries(st.just(HERE), st.integers(1, 7)),
        },
    ),
    defaults=subset,
    chosen=subset,
    is_adult=st.booleans(),
)
def test_any_defaults_are_valid_and_obey_the_rules(
    *, rules: dict[str, Any], defaults: dict[str, Any], chosen: dict[str, Any], is_adult: bool
) -> None:
    settings = GuildSettings(**rules, default_options=defaults)
    asker = make_requester(is_age_restricted=is_adult)
    unchosen = apply_policy(settings, asker, MODEL, {"prompt": "a fox"})
    # Values that came from defaults can be chosen, too.
    assert apply_policy(settings, asker, MODEL, unchosen) == unchosen
    try:
        made = apply_policy(settings, asker, MODEL, {"prompt": "a fox", **chosen})
    except UserError:
        return
    scale = OPTIONS["resolution"]
    assert {name: made[name] for name in chosen} == chosen
    assert scale.index(made["resolution"]) <= scale.index(rules.get("highest_resolution", "4K"))
    assert int(made["num_images"]) <= rules.get("most_images", 9)
    assert rules.get("may_search_web", True) or not made["enable_web_search"]
    if not rules.get("channel_safety"):
        assert int(made["safety_tolerance"]) <= rules.get("loosest_safety", 9)
