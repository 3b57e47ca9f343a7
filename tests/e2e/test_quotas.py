"""Limits as members see them and as managers set them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from playground.discord import RejectedByClient
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playground.discord import Channel, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    """An environment with default limits and a RunComfy that finishes at once."""
    async with open_environment(tmp_path_factory.mktemp("environment"), runcomfy={"seconds": 0}) as env:
        yield env


@pytest.fixture
def channel(env: Environment) -> Channel:
    """A channel of a server without rules."""
    return env.discord.add_guild("Without rules").add_channel("images")


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    await env.wait_until_idle()
    return message


def ends_of(moment: datetime) -> dict[str, datetime]:
    """Return when each UTC calendar window around a moment ends; weeks begin on Monday."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "hour": moment.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1),
        "day": day + timedelta(days=1),
        "week": day + timedelta(days=7 - day.weekday()),
        "month": datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC),
    }


def reset(text: str) -> datetime:
    """Parse the Discord timestamp in a text."""
    (seconds,) = re.findall(r"<t:(\d+):[RtTdDfF]>", text)
    return datetime.fromtimestamp(int(seconds), UTC)


async def test_usage_shows_used_left_and_reset(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    assert "0 of 10 credits used, 10 left" in await env.reply_to(anna, "usage", channel=channel)
    await done(env, anna, num_images=4, channel=channel)
    text = await env.reply_to(anna, "usage", channel=channel)
    assert "3 of 10 credits used, 7 left" in text
    assert reset(text) == ends_of(datetime.now(UTC))["day"]
    assert "0 of 10 credits used, 10 left" in await env.reply_to(env.new_member(), "usage", channel=channel)


@pytest.mark.parametrize("period", ["hour", "day", "week", "month"])
async def test_windows_follow_the_calendar(env: Environment, channel: Channel, period: str) -> None:
    """Usage from before the rule counts."""
    anna = env.new_member()
    await done(env, anna, num_images=2, channel=channel)
    answer = await env.reply_to(env.mia, "quota set", limit=3, per=period, channel=channel)
    assert "3" in answer
    assert period in answer
    before, text, after = (
        ends_of(datetime.now(UTC)),
        await env.reply_to(anna, "usage", channel=channel),
        ends_of(datetime.now(UTC)),
    )
    assert "1.5 of 3 credits used, 1.5 left" in text
    assert reset(text) in {before[period], after[period]}


async def test_first_job_above_the_limit_is_refused(env: Environment, channel: Channel) -> None:
    anna, submits = env.new_member(), len(env.runcomfy.submits)
    await env.reply_to(env.mia, "quota set", limit=3, per="week", channel=channel)
    text = await env.reply_to(anna, "imagine", prompt="a fox", num_images=4, channel=channel)
    assert re.search(r"\b3 credits", text)
    assert re.search(r"\b3 left\b", text)
    assert reset(text) == ends_of(datetime.now(UTC))["week"]
    assert (env.charged_images(anna), len(env.runcomfy.submits)) == (0, submits)
    await done(env, anna, num_images=3, channel=channel)


async def test_zero_limit_forbids(env: Environment, channel: Channel) -> None:
    anna, ben, submits = env.new_member(), env.new_member(), len(env.runcomfy.submits)
    answer = await env.reply_to(env.mia, "quota set", limit=0, per="hour", who=anna, channel=channel)
    assert f"<@{anna.id}> can't generate images now (0 credits per hour" in answer
    text = await env.reply_to(anna, "imagine", prompt="a fox", channel=channel)
    assert "your limit is 0 credits" in text
    assert "resets" not in text
    usage = await env.reply_to(anna, "usage", channel=channel)
    assert "This hour: your limit is 0 credits" in usage
    assert "resets" not in usage
    assert len(env.runcomfy.submits) == submits
    message = await done(env, ben, channel=channel)
    refusal = await (await anna.press(message, "Re-roll")).response()
    assert refusal.is_ephemeral
    assert len(env.runcomfy.submits) == submits + 1


async def test_member_rule_takes_precedence_and_periods_combine(env: Environment, channel: Channel) -> None:
    anna, ben = env.new_member(), env.new_member()
    await env.reply_to(env.mia, "quota set", limit=1, per="day", channel=channel)
    answer = await env.reply_to(env.mia, "quota set", limit=7, per="month", who=anna, channel=channel)
    assert f"<@{anna.id}>" in answer
    assert re.search(r"\b7 credits per month", answer)
    assert "0 of 7 credits used, 7 left" in await env.reply_to(anna, "usage", channel=channel)
    assert "0 of 1 credit used, 1 left" in await env.reply_to(ben, "usage", channel=channel)
    await done(env, anna, num_images=2, channel=channel)
    await env.reply_to(env.mia, "quota set", limit=2, per="hour", channel=channel)
    await env.reply_to(env.mia, "quota set", limit=9, per="week", who=anna, channel=channel)
    answer = await env.reply_to(env.mia, "quota set", limit=4, per="week", who=anna, channel=channel)
    assert "4 credits per week, 7 credits per month" in answer
    text = await env.reply_to(anna, "usage", channel=channel)
    assert "1.5 of 4 credits used, 2.5 left" in text
    assert "1.5 of 7 credits used, 5.5 left" in text
    text = await env.reply_to(ben, "usage", channel=channel)
    assert "0 of 2 credits used, 2 left" in text
    assert "0 of 1 credit used, 1 left" in text
    refused = await env.reply_to(anna, "imagine", prompt="a fox", num_images=3, channel=channel)
    assert "This costs 3 credits" in refused
    assert "2.5 left" in refused


async def test_limit_below_what_was_used(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    await done(env, anna, num_images=4, channel=channel)
    await env.reply_to(env.mia, "quota set", limit=1, per="month", who=anna, channel=channel)
    assert "1 of 1 credit used, 0 left" in await env.reply_to(anna, "usage", channel=channel)
    refused = await env.reply_to(anna, "imagine", prompt="a fox", channel=channel)
    assert "0 left of your 1 credit. Your limit resets" in refused


async def test_most_permissive_role_decides(env: Environment, channel: Channel) -> None:
    anna, guild = env.new_member(), channel.guild
    assert guild
    artists, patrons = guild.add_role("Artists"), guild.add_role("Patrons")
    await env.reply_to(env.mia, "quota set", limit=1, per="day", channel=channel)
    answer = await env.reply_to(env.mia, "quota set", limit=3, per="day", who=artists, channel=channel)
    assert f"<@&{artists.id}>" in answer
    await env.reply_to(env.mia, "quota set", limit=5, per="day", who=patrons, channel=channel)
    assert "0 of 1 credit used" in await env.reply_to(anna, "usage", channel=channel)
    anna.roles.append(artists)
    text = await env.reply_to(anna, "usage", channel=channel)
    assert "0 of 3 credits used" in text
    assert f"<@&{artists.id}>" in text
    anna.roles.append(patrons)
    assert "0 of 5 credits used" in await env.reply_to(anna, "usage", channel=channel)
    assert "removed" in await env.reply_to(env.mia, "quota clear", who=patrons, channel=channel)
    assert "0 of 3 credits used" in await env.reply_to(anna, "usage", channel=channel)


async def test_pool_limits_all_members_together(env: Environment, channel: Channel) -> None:
    anna, ben = env.new_member(), env.new_member()
    answer = await env.reply_to(env.mia, "quota set", limit=3, per="day", together=True, channel=channel)
    assert "3 credits per day" in answer
    await done(env, anna, num_images=2, channel=channel)
    assert "1.5 of 3 credits used, 1.5 left" in await env.reply_to(ben, "usage", channel=channel)
    refused = await env.reply_to(ben, "imagine", prompt="a fox", num_images=2, channel=channel)
    assert "together" in refused
    assert "1.5 left" in refused
    assert "removed" in await env.reply_to(env.mia, "quota clear", together=True, channel=channel)
    await done(env, ben, num_images=2, channel=channel)


async def test_grants_and_resets(env: Environment, channel: Channel) -> None:
    anna, mia = env.new_member(), env.mia
    await env.reply_to(mia, "quota set", limit=1, per="day", channel=channel)
    await done(env, anna, channel=channel)
    assert "0.25 left" in await env.reply_to(anna, "imagine", prompt="a fox", channel=channel)
    assert f"<@{anna.id}>" in await env.reply_to(mia, "quota grant", who=anna, amount=2, channel=channel)
    assert "0.75 of 3 credits used, 2.25 left" in await env.reply_to(anna, "usage", channel=channel)
    await done(env, anna, num_images=3, channel=channel)
    answer = await env.reply_to(mia, "quota grant", who=anna, amount=4, start_over=True, channel=channel)
    assert f"<@{anna.id}>: usage set back to 0, plus 4 extra credits" in answer
    assert "0 of 7 credits used, 7 left" in await env.reply_to(anna, "usage", channel=channel)
    assert "Enter an amount" in await env.reply_to(mia, "quota grant", who=anna, channel=channel)


async def test_grant_and_reset_for_everyone(env: Environment, channel: Channel) -> None:
    """Discord offers @everyone as a role; no `who` means the same."""
    anna, mia = env.new_member(), env.mia
    assert channel.guild
    everyone = channel.guild.roles[0]
    await done(env, anna, channel=channel)
    said = await env.reply_to(mia, "quota grant", amount=2, channel=channel)
    assert "@everyone: 2 extra credits" in said
    assert "0.75 of 12 credits used" in await env.reply_to(anna, "usage", channel=channel)
    said = await env.reply_to(mia, "quota grant", who=everyone, start_over=True, channel=channel)
    assert "@everyone: usage set back to 0." in said
    assert "0 of 12 credits used" in await env.reply_to(anna, "usage", channel=channel)


async def test_grants_never_exceed_the_owners_ceiling(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    await env.reply_to(env.mia, "quota grant", who=anna, amount=500, channel=channel)
    assert "0 of 100 credits used, 100 left" in await env.reply_to(anna, "usage", channel=channel)


async def test_replayed_grant_applies_once(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    grant = await env.mia.command("quota grant", who=anna, amount=2, channel=channel)
    await grant.response()
    env.discord.send(grant.event)
    assert "0 of 12 credits used" in await env.reply_to(anna, "usage", channel=channel)
    assert len(grant.messages) == 1


async def test_show_and_clear(env: Environment, channel: Channel) -> None:
    anna, mia = env.new_member(), env.mia
    shown = await env.reply_to(mia, "quota show", channel=channel)
    assert "10 credits per day" in shown
    assert "100 credits per day" in shown
    await env.reply_to(mia, "quota set", limit=5, per="week", channel=channel)
    await env.reply_to(mia, "quota set", limit=30, per="month", who=anna, channel=channel)
    shown = await env.reply_to(mia, "quota show", channel=channel)
    assert "5 credits per week" in shown
    assert f"<@{anna.id}>: 30 credits per month" in shown
    assert "5 credits per week" in await env.reply_to(mia, "quota clear", who=anna, channel=channel)
    assert "0 of 5 credits used, 5 left" in await env.reply_to(anna, "usage", channel=channel)
    assert "10 credits per day" in await env.reply_to(mia, "quota clear", channel=channel)
    assert "0 of 10 credits used, 10 left" in await env.reply_to(anna, "usage", channel=channel)
    for options in ({}, {"who": anna}):
        assert "10 credits per day" in await env.reply_to(mia, "quota clear", **options, channel=channel)
    assert f"<@{anna.id}>" not in await env.reply_to(mia, "quota show", channel=channel)


async def test_clear_removes_the_limit_of_one_period(env: Environment, channel: Channel) -> None:
    anna, mia = env.new_member(), env.mia
    for limit, per in ((5, "week"), (3, "hour")):
        await env.reply_to(mia, "quota set", limit=limit, per=per, who=anna, channel=channel)
    answer = await env.reply_to(mia, "quota clear", per="hour", who=anna, channel=channel)
    assert f"<@{anna.id}> can now spend 5 credits per week" in answer
    assert "no limit to remove" in await env.reply_to(
        mia, "quota clear", per="day", who=anna, channel=channel
    )
    assert "0 of 5 credits used" in await env.reply_to(anna, "usage", channel=channel)


async def test_limits_of_deleted_roles_can_be_cleared(env: Environment, channel: Channel) -> None:
    """They count, but take no line from the 15 limits that are listed."""
    mia, guild = env.mia, channel.guild
    assert guild
    roles = [guild.add_role(f"Role {number}") for number in range(17)]
    for number, role in enumerate(roles):
        await env.reply_to(mia, "quota set", limit=1 + number % 4, per="hour", who=role, channel=channel)
    for role in roles[:16]:
        guild.delete_role(role)
    shown = await (await mia.command("quota show", channel=channel)).response()
    await env.wait_for_text(shown, "Limits of deleted roles, without effect: 16")
    assert f"<@&{roles[16].id}>: 1 credit per hour" in shown.text
    assert "more" not in shown.text
    custom_id = shown.buttons["🧹 Remove limits of deleted roles"]["custom_id"]
    forged = await env.new_member().send_raw(custom_id=custom_id, message=shown)
    assert "permission" in (await forged.response()).text
    pressed = await mia.press(shown, "🧹 Remove limits of deleted roles")
    assert "Removed the limits of 16 deleted roles" in (await pressed.response()).text
    again = await mia.press(shown, "🧹 Remove limits of deleted roles")
    assert "out of date" in (await again.response()).text
    shown = await (await mia.command("quota show", channel=channel)).response()
    await env.wait_for_text(shown, f"<@&{roles[16].id}>: 1 credit per hour")
    assert "deleted" not in shown.text
    assert not shown.buttons


async def test_old_names_still_work(env: Environment, channel: Channel) -> None:
    anna, mia = env.new_member(), env.mia
    await done(env, anna, channel=channel)
    await env.reply_to(mia, "quota pool", limit=3, per="day", channel=channel)
    assert "0.75 of 3 credits used" in await env.reply_to(anna, "usage", channel=channel)
    assert "usage set back to 0" in await env.reply_to(mia, "quota reset", who=anna, channel=channel)
    assert "0 of 10 credits used" in await env.reply_to(anna, "usage", channel=channel)


async def test_shared_limit_is_not_for_one_member(env: Environment, channel: Channel) -> None:
    options = {"limit": 3, "per": "day", "who": env.new_member(), "together": True}
    answer = await env.reply_to(env.mia, "quota set", **options, channel=channel)
    assert "Choose either who or together" in answer
    assert "Shared limit: unlimited" in await env.reply_to(env.mia, "quota show", channel=channel)


async def test_rules_apply_only_to_their_server(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    await env.reply_to(env.mia, "quota set", limit=2, per="day", channel=channel)
    await done(env, anna, channel=channel)
    assert "0.75 of 2 credits used" in await env.reply_to(anna, "usage", channel=channel)
    elsewhere = env.discord.add_guild("Other").add_channel("images")
    assert "0 of 10 credits used" in await env.reply_to(anna, "usage", channel=elsewhere)


@pytest.mark.parametrize(
    ("limit", "per", "is_taken"),
    [
        (100, "day", True),
        (101, "day", False),
        (4, "hour", True),
        (5, "hour", False),  # 120 a day
        (100, "week", True),
        (1_000_000, "month", False),
    ],
)
async def test_max_quota_limits_managers(
    env: Environment, channel: Channel, limit: int, per: str, *, is_taken: bool
) -> None:
    anna = env.new_member()
    for options in ({}, {"who": anna}):
        text = await env.reply_to(env.mia, "quota set", limit=limit, per=per, **options, channel=channel)
        assert (f"{limit} credits per {per}" in text) == is_taken
        if not is_taken:
            assert "100 credits per day" in text
    expected = f"0 of {limit} credits" if is_taken else "0 of 10 credits"
    assert expected in await env.reply_to(anna, "usage", channel=channel)


async def test_command_options_match_accepted_limits_and_periods(env: Environment) -> None:
    command = next(each for each in env.discord.commands if each["name"] == "quota")
    assert command["default_member_permissions"] == str(1 << 5)  # Manage Server
    assert command["contexts"] == [0]
    kinds = {each["name"]: each.get("options", []) for each in command["options"]}
    assert {name: [each["name"] for each in options] for name, options in kinds.items()} == {
        "set": ["limit", "per", "who", "together"],
        "clear": ["per", "who", "together"],
        "grant": ["who", "amount", "start_over"],
        "show": [],
        "report": ["months_ago"],
        "pool": ["limit", "per"],
        "reset": ["who"],
        "export": ["months_ago"],
    }
    old = [
        each["name"] for each in command["options"] if each["description"].startswith("Old name of /quota")
    ]
    assert old == ["pool", "reset", "export"]
    limit, per, *_ = kinds["set"]
    assert (limit["min_value"], limit["max_value"]) == (0, 1_000_000)
    assert [each["value"] for each in per["choices"]] == ["hour", "day", "week", "month"]
    for value in (-1, 1_000_001):
        with pytest.raises(RejectedByClient):
            await env.mia.command("quota set", limit=value, per="day")
    with pytest.raises(RejectedByClient):
        await env.new_member().command("quota show")


async def test_forged_quota_command_is_refused(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    await env.reply_to(env.mia, "quota set", limit=1, per="day", channel=channel)
    rules = env.rows("select * from rules")
    forged: list[tuple[str, dict[str, Any]]] = [
        ("quota set", {"limit": 50, "per": "day"}),
        ("quota set", {"limit": 50, "per": "day", "who": anna}),
        ("quota clear", {}),
        ("quota clear", {"who": anna}),
        ("quota pool", {"limit": 50, "per": "day"}),
        ("quota grant", {"who": anna, "amount": 50}),
        ("quota reset", {"who": anna}),
        ("quota show", {}),
        ("quota export", {}),
        ("quota report", {}),
    ]
    for name, options in forged:
        answer = await (await anna.send_raw(name, options, channel=channel)).response()
        assert answer.is_ephemeral
        assert "1 credit per day" not in answer.text
    assert env.rows("select * from rules") == rules
    assert [row for row in env.rows("select * from adjustments") if str(row["made_by"]) == anna.id] == []
    direct = await anna.send_raw("quota set", {"limit": 9, "per": "day"}, channel=anna.direct_messages)
    await direct.response()
    assert env.rows("select * from rules") == rules
