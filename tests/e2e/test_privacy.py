"""/privacy: what it shows, the export, and the deletion."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.accounts import delivered
from tests.e2e.environment import button_labels, open_environment
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
TEXT = {"input": "{}", "input_files": "[]", "preset": None, "origin": None, "error_values": "{}"}


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    await env.wait_for_rows(lambda: env.job(message)["ended_at"])
    await env.wait_for_rows((env.folder / "data" / "kept" / str(env.job(message)["job_id"])).exists)
    return message


async def panel(person: Member, **where: Any) -> Message:
    """Use /privacy; return the answer."""
    message = await (await person.command("privacy", **where)).response()
    assert message.is_ephemeral
    return message


async def asked(person: Member, message: Message) -> Interaction:
    """Press Delete my data; return the interaction with the form."""
    press = await person.press(message, "Delete my data")
    await press.modal_response()
    return press


async def erased(env: Environment, person: Member) -> Message:
    """Delete everything of a person and wait until it is done; return the answer to /privacy."""
    message = await panel(person)
    await person.submit(await asked(person, message))
    await env.wait_for_text(message, "without text")
    await env.discord.until(lambda: "being deleted" not in message.text)
    return message


async def archive(env: Environment, person: Member) -> zipfile.ZipFile:
    press = await person.press(await panel(person), "Export")
    answer = await press.response()
    assert answer.is_ephemeral
    await env.discord.until(lambda: answer.files)
    assert [file["filename"] for file in answer.files] == ["my-data.zip"]
    return zipfile.ZipFile(io.BytesIO(await env.discord.file(answer.files[0])))


def folders(env: Environment) -> set[str]:
    return {path.name for root in ("files", "kept") for path in (env.folder / "data" / root).glob("*")}


async def test_nothing_is_stored_about_a_stranger(env: Environment) -> None:
    message = await panel(env.new_member())
    assert "**What I store about you, from all servers**\nNothing yet." in message.text
    assert button_labels(message) == ["Export"]


async def test_counts(env: Environment) -> None:
    anna = env.new_member()
    for number in (1, 2):
        await done(env, anna, num_images=number)
    message = await panel(anna)
    assert "📝 2 requests with prompt and options" in message.text
    assert "💾 3 original images, the last kept until <t:" in message.text
    assert "💬 2 messages that I can delete" in message.text
    assert "Prompts and options: until you delete them" in message.text
    assert button_labels(message) == ["Export", "Delete my data"]


async def test_everything_is_deleted_but_numbers(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message, other = await done(env, anna, num_images=2), await done(env, ben)
    before, others, used = env.job(message), env.job(other), env.charged_images(anna)
    assert before["job_id"] in folders(env)
    shown = await panel(anna)
    form = await asked(anna, shown)
    assert form.modal is not None
    text = form.modal["components"][0]["content"]
    for said in ("your request on all servers", "2 pictures and images", "1 message", "can't be undone"):
        assert said in text
    await env.restart()
    await anna.submit(form)
    await env.wait_for_text(shown, "🔢 1 request without text")
    await env.discord.until(lambda: message.is_deleted)
    assert button_labels(shown) == ["Export"]
    after = env.job(message)
    changed = {name for name in after if after[name] != before[name]} - {"cost", "next_cost_check_at"}
    assert {name: after[name] for name in TEXT} == TEXT
    assert changed <= {*TEXT, "deleted_at", "deleted_by", "text_removed_at", "message_id"}
    assert before["job_id"] not in folders(env)
    assert env.charged_images(anna) == used == 2
    assert env.job(other) | {"cost": 0, "next_cost_check_at": 0} == others | {
        "cost": 0,
        "next_cost_check_at": 0,
    }
    assert not other.is_deleted
    assert env.rows("select * from left_messages") == []


async def test_buttons_of_a_deleted_request(env: Environment) -> None:
    """Their message is gone; such a press is forged, or was under way."""
    anna, ben = env.new_member(), env.new_member()
    message, other = await done(env, anna), await done(env, ben)
    child = await (await ben.press(message, "Re-roll")).response()
    await env.wait_for_text(child, "✅")
    await erased(env, anna)
    job_id = env.job(message)["job_id"]
    for action in ("reroll", "remix", "change", "vary", "upscale", "download", "info", "fetch", "edit"):
        press = await anna.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=other)
        assert "can't find that request" in (await press.response()).text
    info = await (await ben.press(child, "Info")).response()
    assert "an earlier request that was deleted" in info.text
    assert "a fox" in info.text
    assert not child.is_deleted
    assert delivered(child) == 1


async def test_running_request_is_finished_first(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    shown = await panel(anna)
    await anna.submit(await asked(anna, shown))
    await held.wait_for_text(shown, "⏳ 1 request is being deleted")
    assert "Delete my data" not in button_labels(shown)
    assert json.loads(held.job(message)["input"])["prompt"] == "a fox"
    held.runcomfy.finish(held.runcomfy.start_next())
    await held.wait_for_text(message, "✅")
    await held.discord.until(lambda: message.is_deleted)
    assert held.job(message)["input"] == "{}"
    assert held.charged_images(anna) == 1
    await held.wait_for_rows(lambda: held.job(message)["job_id"] not in folders(held))


async def test_export_has_everything_of_one_person(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message, other = (
        await done(env, anna, prompt="a red fox", num_images=2),
        await done(env, ben, prompt="mine"),
    )
    await (await env.mia.command("quota set", limit=9, per="day", who=anna)).response()
    await (await env.mia.command("quota grant", amount=3, who=anna)).response()
    store_settings(env, blocked_members=[int(anna.id)])
    exported = await archive(env, anna)
    store_settings(env)
    data = json.loads(exported.read("data.json"))
    job = env.job(message)
    (request,) = data["requests"]
    assert request["prompt"] == "a red fox"
    assert request["options"]["resolution"] == "0.5K"
    assert request["files"] == [f"images/{job['job_id']}-{number}.png" for number in (1, 2)]
    kept = env.folder / "data" / "kept" / job["job_id"]
    for number in (1, 2):
        assert exported.read(f"images/{job['job_id']}-{number}.png") == (kept / f"{number}.png").read_bytes()
    assert (data["user_id"], request["message_id"]) == (anna.id, message.id)
    assert [(each["credits"], each["per"]) for each in data["limits"]] == [(9, "day")]
    assert [each["credits"] for each in data["extra_credits"]] == [3]
    assert data["blocked_on_servers"] == [env.discord.guild.id]
    assert data["left_out"] == {"requests": 0, "files": []}
    text = exported.read("data.json").decode()
    for secret in ("mine", env.job(other)["job_id"], ben.id, env.mia.id, env.runcomfy.url, "http"):
        assert secret not in text
    assert env.discord.token not in text


async def test_forged_presses_and_forms_are_refused(env: Environment) -> None:
    anna, ben = env.new_member(), env.new_member()
    message, shown = await done(env, anna), await panel(anna)
    wrong = [
        (f"job:{action}:v1:{name}", where)
        for action in ("export", "erase")
        for name, where in (("", message), (env.job(message)["job_id"], shown))
    ]
    for custom_id, where in wrong:
        forms: tuple[dict[str, Any] | None, ...] = (None, {})
        for form in forms:
            press = await ben.send_raw(custom_id=custom_id, message=where, form=form)
            assert "can't find that request" in (await press.response()).text
    asked_for = {str(row["user_id"]) for row in env.rows("select * from erasures")}
    assert not asked_for & {anna.id, ben.id}
    assert env.job(message)["text_removed_at"] is None


@pytest.mark.asyncio(loop_scope="function")
async def test_deletion_restores_no_limit(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="2/month") as env:
        for _ in range(2):
            await done(env, env.alice, resolution="1K")
        usage = await env.reply_to(env.alice, "usage")
        report = await (await env.mia.command("quota show")).response()
        await env.discord.until(lambda: report.text)
        await erased(env, env.alice)
        assert await env.reply_to(env.alice, "usage") == usage
        assert "out of credits" in await env.reply_to(env.alice, "imagine", prompt="a fox")
        again = await (await env.mia.command("quota show")).response()
        await env.discord.until(lambda: again.text)
        assert again.text == report.text
        # A blocked member, in a channel where nothing can be generated, still sees what is stored.
        store_settings(env, blocked_members=[int(env.alice.id)])
        assert "2 requests without text" in (await panel(env.alice)).text
