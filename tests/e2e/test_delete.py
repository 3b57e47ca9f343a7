"""Deleting images: permissions, deleted and remaining data, and errors."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from playground.runcomfy import respond
from tests.e2e.accounts import LATER, check_accounts, delivered
from tests.e2e.environment import REPEATS, button_labels, open_environment
from tests.e2e.settings_panel import store_settings, stored_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO_ACCESS = {"code": 50001, "message": "Missing Access"}
PAGE = "<html>no JSON</html>"


async def done(env: Environment, person: Member, **options: Any) -> Message:
    message = await env.imagine(person, **{"resolution": "0.5K", **options})
    await env.wait_for_text(message, "✅")
    await env.wait_for_end(message)
    return message


async def kept(env: Environment, message: Message) -> Path:
    """Return the folder of a message's originals, once the bot has moved them there."""
    folder = env.folder / "data" / "kept" / str(env.job(message)["job_id"])
    await env.wait_for_rows(folder.exists)
    return folder


async def asked(person: Member, message: Message) -> Interaction:
    """Press Delete; return the interaction with the form."""
    press = await person.press(message, "Delete")
    await press.modal_response()
    return press


def warning(form: Interaction) -> str:
    """Return the title and the text of a form."""
    assert form.modal is not None
    return f"{form.modal['title']} {form.modal['components'][0]['content']}"


async def confirmed(env: Environment, person: Member, message: Message, *words: str) -> Message:
    """Press Delete and confirm; wait for the outcome."""
    submit = await person.submit(await asked(person, message))
    return await env.wait_for_text(await submit.response(), *words)


async def refusal(press: Interaction) -> str:
    message = await press.response()
    assert message.is_ephemeral
    return message.text


async def test_requester_deletes(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna, num_images=2)
    before, used = env.job(message), env.charged_images(anna)
    originals = await kept(env, message)
    question = await asked(anna, message)
    assert "these images" in warning(question)
    assert "won't get your credits back" in warning(question)
    assert not message.is_deleted
    answer = await (await anna.submit(question)).response()
    await env.wait_for_text(answer, "Deleted")
    assert answer.is_ephemeral
    assert message.is_deleted
    assert button_labels(answer) == []
    assert not originals.exists()
    after = env.job(message)
    assert after.pop("deleted_at")
    assert after.pop("deleted_by") == int(anna.id)
    assert after.pop("message_id") is None
    assert after | LATER == {name: before[name] for name in after} | LATER
    assert env.charged_images(anna) == used == 2
    check_accounts(env)


async def test_moderator_deletes_another_members_job(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    originals = await kept(env, message)
    question = await asked(env.mia, message)
    assert f"<@{anna.id}>" in warning(question)
    await env.wait_for_text(await (await env.mia.submit(question)).response(), "Deleted")
    assert message.is_deleted
    assert not originals.exists()
    assert env.job(message)["deleted_by"] == int(env.mia.id)
    assert env.charged_images(anna) == 1
    assert anna.direct_messages.messages == []


async def test_stranger_cannot_delete(env: Environment) -> None:
    anna, stranger = env.new_member(), env.new_member()
    message = await done(env, anna)
    assert "Only the person who made this" in await refusal(await stranger.press(message, "Delete"))
    confirm = f"job:confirm:v1:{env.job(message)['job_id']}"
    assert "Only the person who made this" in await refusal(
        await stranger.send_raw(custom_id=confirm, message=message)
    )
    assert not message.is_deleted
    assert env.job(message)["deleted_at"] is None


async def test_role_lost_between_question_and_confirmation(env: Environment) -> None:
    boss, anna = env.new_member(is_manager=True), env.new_member()
    message = await done(env, anna)
    question = await asked(boss, message)
    boss.is_manager = False
    press = await boss.submit(question)
    assert "Only the person who made this" in await refusal(press)
    assert env.job(message)["deleted_at"] is None
    assert not message.is_deleted


async def test_running_job_cannot_be_deleted(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    job_id = held.job(message)["job_id"]
    for action in ("delete", "confirm"):
        press = await anna.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=message)
        assert "still in progress" in await refusal(press)
    held.runcomfy.finish(held.runcomfy.start_next())
    await held.wait_for_text(message, "✅")
    assert delivered(message) == 1


async def test_double_confirmation_deletes_once(env: Environment) -> None:
    """Two questions are confirmed, one of them twice."""
    anna = env.new_member()
    message = await done(env, anna)
    questions = [await asked(anna, message), await asked(env.mia, message)]
    submits = [await anna.submit(questions[0]), await env.mia.submit(questions[1])]
    answers = [await env.wait_for_text(await each.response(), "Deleted") for each in submits]
    env.discord.send(submits[0].event)
    assert (await done(env, env.new_member())).text
    assert message.is_deleted
    assert "Something went wrong" not in answers[0].text + answers[1].text


async def test_deleted_job_has_no_actions(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404))
    message = await done(env, anna, num_images=2)
    assert button_labels(message) == [*REPEATS, "Get images", "Info", "Delete"]
    await confirmed(env, anna, message, "Deleted")
    job_id, submits = env.job(message)["job_id"], len(env.runcomfy.submits)
    other = await done(env, anna)
    for action in ("fetch", "reroll", "retry", "cancel", "keep"):
        press = await anna.send_raw(custom_id=f"job:{action}:v1:{job_id}", message=other)
        assert "can't find that request" in await refusal(press)
    assert "nothing in progress here" in await env.reply_to(anna, "jobs")
    assert len(env.runcomfy.submits) == submits + 1


async def test_refetched_images_are_deleted_too(env: Environment) -> None:
    anna = env.new_member()
    env.runcomfy.inject_fault("file", respond(404))
    part = await done(env, anna, num_images=2)
    job_id = env.job(part)["job_id"]
    fetched = await (await anna.press(part, "Get images")).response()
    await env.wait_for_text(fetched, "✅")
    await env.wait_until_idle()
    assert (delivered(part), delivered(fetched)) == (1, 2)
    question = await asked(env.mia, part)  # on the message that the job left
    await env.wait_for_text(await (await env.mia.submit(question)).response(), "Deleted")
    assert part.is_deleted
    assert fetched.is_deleted
    assert [row["deleted_by"] for row in env.rows() if row["job_id"] == job_id] == [int(env.mia.id)]
    assert env.rows("select * from left_messages") == []


async def test_message_already_deleted(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    question = await asked(anna, message)
    env.mia.delete(message)
    await env.wait_for_text(await (await anna.submit(question)).response(), "Deleted")
    assert env.job(message)["deleted_at"]
    assert env.rows("select * from left_messages") == []


@pytest.mark.parametrize(("status", "body"), [(403, NO_ACCESS), (503, PAGE), (429, PAGE), (404, PAGE)])
async def test_discord_rejects_the_deletion(env: Environment, status: int, body: object) -> None:
    """The user is notified, and a second press succeeds."""
    anna = env.new_member()
    message = await done(env, anna)
    # Any number of attempts, because maintenance retries too.
    env.discord.inject_fault("delete_message", status, body, times=100)
    question = await asked(anna, message)
    press = await anna.submit(question)
    await env.discord.until(lambda: any("Discord won't let me" in each.text for each in press.messages))
    assert not message.is_deleted
    assert env.job(message)["deleted_at"]
    env.discord.clear_faults("delete_message")
    await env.wait_for_text(await (await anna.submit(question)).response(), "Deleted")
    assert message.is_deleted


async def test_discord_responds_late_or_never_to_a_deletion(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    env.discord.inject_fault("delete_message", 503, PAGE, is_after=True)
    await confirmed(env, anna, message, "Deleted")
    assert message.is_deleted


async def test_deletion_with_rejected_first_response(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    question = await asked(anna, message)
    env.discord.inject_fault("callback", 404, {"code": 10062, "message": "Unknown interaction"})
    await anna.submit(question)
    await env.discord.until(lambda: message.is_deleted)
    assert env.job(message)["deleted_at"]


async def test_locked_database_prevents_deletion(env: Environment) -> None:
    anna = env.new_member()
    message = await done(env, anna)
    question = await asked(anna, message)
    with closing(sqlite3.connect(env.folder / "data" / "bot.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        assert "busy" in await refusal(await anna.submit(question))
        other.execute("rollback")
    assert not message.is_deleted
    await env.wait_for_text(await (await anna.submit(question)).response(), "Deleted")


@pytest.fixture
def private(env: Environment) -> Iterator[Environment]:
    """A server whose images are visible to their requester only."""
    store_settings(env, is_private=True)
    yield env
    store_settings(env)


async def test_private_message_is_deleted(private: Environment) -> None:
    """It can't be reached from another message, nor with the bot's token."""
    anna = private.new_member()
    message = await done(private, anna)
    assert message.is_ephemeral
    question = await asked(anna, message)
    assert delivered(message) == 1
    await anna.submit(question)
    await private.discord.until(lambda: message.is_deleted)
    assert private.job(message)["deleted_at"]
    await private.wait_for_rows(lambda: private.rows("select * from left_messages") == [])
    assert anna.direct_messages.messages == []


async def test_discord_rejects_the_deletion_of_a_private_message(private: Environment) -> None:
    anna = private.new_member()
    message = await done(private, anna)
    private.discord.inject_fault("delete_original", 403, NO_ACCESS)
    press = await anna.submit(await asked(anna, message))
    await private.discord.until(lambda: any("Discord won't let me" in each.text for each in press.messages))
    assert not message.is_deleted
    await anna.submit(await asked(anna, message))
    await private.discord.until(lambda: message.is_deleted)


async def test_stored_files_are_deleted(held: Environment) -> None:
    """The message is gone and direct messages are closed; no client would send this press."""
    anna = held.new_member()
    anna.takes_direct_messages = False
    message = await held.queued(anna)
    held.mia.delete(message)
    held.runcomfy.finish(held.runcomfy.start_next())
    row = await held.wait_for_end(message)
    await held.wait_for_rows(lambda: held.job(message)["token"] is None)
    folder = held.folder / "data" / "files" / row["job_id"]
    assert folder.exists()
    assert row["next_check_at"]
    held.runcomfy.release()
    other = await done(held, held.new_member())
    shown = other.data
    press = await anna.send_raw(custom_id=f"job:confirm:v1:{row['job_id']}", message=other)
    await held.discord.until(lambda: any("Deleted" in each.text for each in press.messages))
    assert not folder.exists()
    assert held.job(message)["next_check_at"] is None
    assert other.data == shown


@pytest.mark.asyncio(loop_scope="function")
async def test_next_start_retries_the_deletion(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}) as env:
        message = await done(env, env.alice)
        env.discord.channel.app_permissions.update(view_channel=False)
        question = await asked(env.alice, message)
        press = await env.alice.submit(question)
        await env.discord.until(lambda: any("Discord won't let me" in each.text for each in press.messages))
        await env.restart()
        await env.discord.until(lambda: "its message could not be deleted yet" in env.log)
        env.discord.channel.app_permissions.update(view_channel=True)
        await env.restart()
        await env.discord.until(lambda: message.is_deleted)
        await env.wait_for_rows(lambda: env.rows("select * from left_messages") == [])


@pytest.mark.asyncio(loop_scope="function")
async def test_deleted_job_is_not_checked_for_late_results(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEADLINE_SECONDS="2") as env:
        env.runcomfy.hold()
        message = await env.imagine(resolution="0.5K")
        await env.wait_for_text(message, "I stopped waiting", timeout=60)
        await env.wait_for_rows(lambda: env.job(message)["token"] is None)
        press = await env.alice.send_raw(
            custom_id=f"job:confirm:v1:{env.job(message)['job_id']}", message=message
        )
        await env.discord.until(lambda: message.is_deleted)
        await env.discord.until(lambda: any("Deleted" in each.text for each in press.messages))
        await env.kill()
        env.execute("update jobs set ended_at = ended_at - 3600000")
        env.runcomfy.release()
        await env.start()
        other = await done(env, env.bob)
        assert {each for each in env.discord.channel.messages if not each.is_ephemeral} == {other}
        assert env.alice.direct_messages.messages == []
        check_accounts(env)


async def test_buttons_of_older_versions_still_work(env: Environment) -> None:
    """An ephemeral question had them, and a private message itself."""
    anna = env.new_member()
    message, own = await done(env, anna), await done(env, anna)

    def add_button(action: str, job: Message, to: Message) -> str:
        custom_id = f"job:{action}:v1:{env.job(job)['job_id']}"
        part = {"type": 2, "style": 4, "label": action, "custom_id": custom_id, "disabled": False, "id": 2}
        to.data = to.data | {"components": [{"type": 1, "id": 1, "components": [part]}]}
        return custom_id

    for action, job, person in (("confirm", own, anna), ("block", message, env.mia)):
        shown = await (await person.command("jobs")).response()
        await person.press(shown, custom_id=add_button(action, job, shown))
        await env.wait_for_text(shown, "Deleted")
        assert job.is_deleted
    assert stored_settings(env)["blocked_members"] == [int(anna.id)]
    store_settings(env)
