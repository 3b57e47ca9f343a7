"""Usage reports for members, managers and the owner: text, charts, tables and costs."""

from __future__ import annotations

import codecs
import csv
import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from PIL import Image

from bot.domain.quota import Period
from bot.storage.columns import to_epoch_ms
from playground.runcomfy import respond
from tests.e2e.cli import run_command
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playground.discord import Channel, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def opened(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Environment]:
    async with open_environment(tmp_path_factory.mktemp("environment"), runcomfy={"seconds": 0}) as env:
        yield env


@pytest.fixture
def channel(env: Environment) -> Channel:
    return env.discord.add_guild("Reports").add_channel("images")


async def done(env: Environment, person: Member, channel: Channel, **options: Any) -> None:
    message = await env.imagine(person, **{"channel": channel, "resolution": "0.5K", **options})
    await env.wait_for_end(message)


async def file(env: Environment, message: Message, ending: str) -> tuple[dict[str, Any], bytes]:
    """Wait for an attachment with this ending; return it and its bytes."""

    def found() -> list[dict[str, Any]]:
        return [each for each in message.files if each["filename"].endswith(ending)]

    await env.discord.until(found, timeout=30)  # the first chart starts matplotlib
    (attached,) = found()
    return attached, env.discord.cdn.files[attached["id"]]


def read_csv(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"))))


def picture(png: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return image.size


async def test_usage_replies_before_its_chart(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    await env.reply_to(env.mia, "quota set", limit=10, per="month", who=anna, channel=channel)
    await done(env, anna, channel, num_images=2)
    await done(env, anna, channel, prompt="refuse this")  # refunded
    message = await (await anna.command("usage", channel=channel)).response()
    assert "1.5 of 10 credits used, 8.5 left" in message.text
    assert "1.5 (2K)" in message.text
    attached, png = await file(env, message, ".png")
    assert picture(png)[0] == 900
    assert " 1.5." in attached["description"]
    assert "This month: 1.5 of 10 used, 8.5 left." in attached["description"]
    assert "1.5 of 10 credits used" in message.text  # the text stays
    assert message.is_ephemeral


async def test_report_has_chart_and_tables(env: Environment, channel: Channel) -> None:
    anna, ben = env.new_member(), env.new_member()
    await env.reply_to(env.mia, "quota set", limit=7, per="day", channel=channel)
    await done(env, anna, channel, num_images=4)
    await done(env, ben, channel)
    await done(env, ben, channel, prompt="refuse this", num_images=2)
    message = await (await env.mia.command("quota report", channel=channel)).response()
    attached, png = await file(env, message, ".png")
    assert picture(png)[0] == 900
    assert attached["description"].startswith("Credits in the last 30 days. Spent: ")
    assert f"{anna.payload['global_name']} 3, {ben.payload['global_name']} 0.75" in attached["description"]
    assert "3 requests, 1 failed · 3.75 credits spent, 1.5 refunded" in message.text
    assert f"1. <@{anna.id}>: 3 credits" in message.text
    assert "limit: 7 credits per day (everyone)" in message.text
    _, table = await file(env, message, "days.csv")
    (*earlier, today) = read_csv(table)
    assert len(earlier) == 29
    assert [today[name] for name in ("requests", "failed", "images", "credits", "refunded")] == [
        *("3", "1", "5", "3.75", "1.5")
    ]
    _, table = await file(env, message, "members.csv")
    assert [(row["user_id"], row["requests"], row["failed"], row["credits"]) for row in read_csv(table)] == [
        (f"<@{anna.id}>", "1", "0", "3"),
        (f"<@{ben.id}>", "2", "1", "0.75"),
    ]
    assert message.is_ephemeral


async def test_show_and_report_give_the_limits_that_apply_now(env: Environment, channel: Channel) -> None:
    anna, ben = env.new_member(), env.new_member()
    assert channel.guild
    artists, patrons = channel.guild.add_role("Artists"), channel.guild.add_role("Patrons")
    anna.roles.append(artists)
    await env.reply_to(env.mia, "quota set", limit=9, per="week", who=artists, channel=channel)
    await env.reply_to(env.mia, "quota set", limit=2, per="hour", who=patrons, channel=channel)
    await done(env, anna, channel, num_images=2)
    await done(env, ben, channel)
    await env.reply_to(env.mia, "quota set", limit=1, per="week", who=artists, channel=channel)
    ben.roles.append(patrons)
    message = await (await env.mia.command("quota show", channel=channel)).response()
    await env.wait_for_text(message, f"<@{anna.id}>: 1.5 credits, $")
    assert f"limit: 1 credit per week (<@&{artists.id}>)" in message.text
    assert f"limit: 2 credits per hour (<@&{patrons.id}>)" in message.text
    report = await (await env.mia.command("quota report", channel=channel)).response()
    _, table = await file(env, report, "members.csv")
    rows = [(row["credits"], row["limit"], row["limit_of"]) for row in read_csv(table)]
    assert rows == [("1.5", "1/week", f"role:{artists.id}"), ("0.75", "2/hour", f"role:{patrons.id}")]


async def test_member_who_left_keeps_name_and_limit(env: Environment, channel: Channel) -> None:
    anna = env.new_member()
    assert channel.guild
    artists = channel.guild.add_role("Artists")
    anna.roles.append(artists)
    await env.reply_to(env.mia, "quota set", limit=9, per="week", who=artists, channel=channel)
    await done(env, anna, channel)
    env.discord.gateway.left.add(anna.id)
    report = await (await env.mia.command("quota report", channel=channel)).response()
    _, table = await file(env, report, "members.csv")
    ((name, limit),) = [(row["name"], row["limit_of"]) for row in read_csv(table)]
    assert (name, limit) == (f"{anna.name.title()} ({anna.name})", f"role:{artists.id}")


async def test_names_survive_spreadsheets(env: Environment, channel: Channel) -> None:
    """A formula is not run, a number or a date stays text, and an id is not rounded."""
    names = ["=HYPERLINK(1)", "@SUM(1)", "007", "5/6", "李明", "ปอนด์"]
    people = [env.new_member() for _ in names]
    for person, name in zip(people, names, strict=True):
        person.display_name = name
        await done(env, person, channel)
    report = await (await env.mia.command("quota report", channel=channel)).response()
    _, table = await file(env, report, "members.csv")
    assert table.startswith(codecs.BOM_UTF8)  # else Excel shows 李 as æ\x9d\x8e
    rows = {row["user_id"]: row["name"] for row in read_csv(table)}
    assert [rows[f"<@{person.id}>"] for person in people] == [
        f"{mark}{name} ({person.name})"
        for mark, name, person in zip(("'", "'", "", "", "", ""), names, people, strict=True)
    ]


@pytest.mark.parametrize("name", ["report", "export"])
async def test_report_of_a_month(env: Environment, channel: Channel, name: str) -> None:
    anna, ben = env.new_member(), env.new_member()
    for person in (anna, ben):
        await done(env, person, channel)
    first = to_epoch_ms(Period.MONTH.start(datetime.now(UTC)))
    # Its cost counts in the quarter of an hour in which it was reserved, so it must not be collected later.
    change = f"created_at = {first - 1}, next_cost_check_at = null"
    env.execute(f"update jobs set {change} where user_id = {ben.id}")  # noqa: S608 (numbers)
    for months_ago, members in ((0, [anna]), (1, [ben]), (2, [])):
        asked = await env.mia.command(f"quota {name}", months_ago=months_ago, channel=channel)
        message = await asked.response()
        _, table = await file(env, message, "members.csv")
        assert [row["user_id"] for row in read_csv(table)] == [f"<@{person.id}>" for person in members]
        attached, _ = await file(env, message, ".png")
        assert attached["description"].startswith("Credits from ")


async def test_actual_cost_is_shown_to_managers_and_owner(
    tmp_path: Path,
) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        await env.wait_for_price()
        message = await env.wait_for_text(await env.imagine(resolution="0.5K", num_images=2), "✅")
        await env.wait_until_idle()
        assert env.job(message)["usd_each"] == 850_000  # the highest multiple of the published $0.05
        await env.restart()  # costs are fetched at startup and once a minute
        await env.wait_for_rows(lambda: env.job(message)["cost"] is not None)
        assert env.job(message)["cost"] == 75_000
        shown = await (await env.mia.command("quota show")).response()
        await env.wait_for_text(shown, f"<@{env.alice.id}>: 1.5 credits, $0.08")
        code, said = await run_command(env, "costs")
        assert code == 0
        assert said.splitlines()[1].split()[1:] == [env.discord.guild.id, "1", "2", "1.5", "0.08"]


async def test_dollar_budget_is_never_exceeded_and_alerts_owner(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"BUDGET_USD": "3.4", "BUDGET_ALARM": "4"}
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, **settings) as env:
        await env.wait_for_price()
        await env.wait_for_text(await env.imagine(resolution="0.5K", num_images=3), "✅")  # $2.55
        refused = await env.reply_to(env.bob, "imagine", prompt="a fox", resolution="0.5K", num_images=2)
        assert "spending limit" in refused
        await env.wait_for_text(await env.imagine(env.bob, resolution="0.5K"), "✅")  # $3.40 in all
        assert "spending limit" in await env.reply_to(env.bob, "imagine", prompt="a fox", resolution="0.5K")
        await env.wait_until_idle()
        await env.restart()
        owner = env.mia.direct_messages
        await env.discord.until(lambda: owner.messages)
        await env.restart()  # no second warning
        await env.wait_for_rows(lambda: all(row["cost"] is not None for row in env.rows()))
        assert ["$3.40 (BUDGET_USD)" in each.text for each in owner.messages] == [True]
        await env.wait_for_text(await env.imagine(env.bob, resolution="0.5K"), "✅")  # only $0.15 was charged
        env.settings["BUDGET_USD"] = "3.5"  # a raised budget has a warning of its own
        await env.restart()
        await env.discord.until(lambda: len(owner.messages) == 2)
        assert "$3.50 (BUDGET_USD)" in owner.messages[1].text


async def test_dollar_budget_without_price_refuses_jobs(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, is_started=False, BUDGET_USD="10") as env:
        env.runcomfy.inject_fault("model", respond(200, {"model_id": "x"}), times=None)
        await env.start()
        refused = await env.reply_to(env.bob, "imagine", prompt="a fox", resolution="0.5K")
        assert "the current price" in refused
        assert env.runcomfy.submits == []
