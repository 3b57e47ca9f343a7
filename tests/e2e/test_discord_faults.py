"""Discord's errors at every call of a job's life.

Other modules cover the first response (test_permissions: 10062, 50001, 40060, 5xx), large files
(test_large_files: 40005), expired tokens (test_progress: 50027, 10015) and rejected commands (test_start).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import NoResponse
from tests.e2e.accounts import delivered
from tests.e2e.environment import button_labels

if TYPE_CHECKING:
    from playground.discord import Interaction, Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITED = {"message": "You are being rate limited.", "retry_after": 0.1, "global": False}
VIA = {"Via": "1.1 google", "Retry-After": "1", "X-RateLimit-Scope": "shared"}
PAGE = "<html>upstream connect error</html>"
JSON = {"Content-Type": "application/json"}
PASSING: dict[str, dict[str, Any]] = {
    "limited by Discord": {"status": 429, "body": LIMITED, "headers": VIA},
    "limited everywhere": {"status": 429, "body": LIMITED | {"global": True}, "headers": VIA},
    "limited by the edge": {"status": 429, "body": LIMITED},
    "limited by the edge's page": {"status": 429, "body": "<html>error code: 1015</html>"},
    "500": {"status": 500, "body": {"message": "500: Internal Server Error", "code": 0}},
    "502": {"status": 502, "body": PAGE},
    "503": {"status": 503, "body": PAGE},
    "200 of a proxy's": {"status": 200, "body": PAGE},
    "200 without JSON, and it was done": {"status": 200, "body": "", "headers": JSON, "is_after": True},
    "503, and it was done": {"status": 503, "body": PAGE, "is_after": True},
}
OUT_OF_REACH: dict[str, dict[str, Any]] = {
    "50001": {"status": 403, "body": {"code": 50001, "message": "Missing Access"}},
    "50013": {"status": 403, "body": {"code": 50013, "message": "Missing Permissions"}},
    "10003": {"status": 404, "body": {"code": 10003, "message": "Unknown Channel"}},
    "10008": {"status": 404, "body": {"code": 10008, "message": "Unknown Message"}},
    "50083": {"status": 400, "body": {"code": 50083, "message": "Thread is archived"}},
}
OLD = {"code": 30046, "message": "Maximum number of edits to messages older than 1 hour reached."} | LIMITED
AUTOMOD = {"code": 200000, "message": "Message was blocked by automatic moderation"}
EXPLICIT = {"code": 20009, "message": "Explicit content cannot be sent to the desired recipient(s)"}

# discord.py handles these in two places, for webhooks and callbacks and for the other routes: one test of
# each covers all of them, the other tests one of each kind.
ONE_OF_A_KIND = ("limited by Discord", "limited by the edge", "502", "503, and it was done")

passing = pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
one_of_a_kind = pytest.mark.parametrize("fault", [PASSING[name] for name in ONE_OF_A_KIND], ids=ONE_OF_A_KIND)
out_of_reach = pytest.mark.parametrize("fault", OUT_OF_REACH.values(), ids=OUT_OF_REACH)


async def done(env: Environment, person: Member) -> Message:
    return await env.wait_for_text(await env.imagine(person, resolution="0.5K"), "✅")


async def assert_paid_once(env: Environment, person: Member, message: Message, *, images: int = 1) -> None:
    await env.wait_for_end(message)
    assert len(env.submits_for(message)) == 1
    assert env.charged_images(person) == images


def direct(person: Member) -> Message:
    (message,) = person.direct_messages.messages
    return message


def finish(held: Environment, error: object = None) -> None:
    held.runcomfy.finish(held.runcomfy.start_next(), error)


# The first response


@passing
async def test_transient_first_response_errors(env: Environment, fault: dict[str, Any]) -> None:
    anna = env.new_member()
    env.discord.inject_fault("callback", **fault)
    message = await done(env, anna)
    assert delivered(message) == 1
    await assert_paid_once(env, anna, message)


@pytest.mark.parametrize("headers", [{}, VIA], ids=["edge", "Discord"])
async def test_first_response_rate_limited_beyond_its_deadline(
    env: Environment, headers: dict[str, str]
) -> None:
    anna, submits = env.new_member(), len(env.runcomfy.submits)
    env.discord.inject_fault(
        "callback", 429, LIMITED | {"retry_after": 3.5}, headers=headers, times=1 if headers else 9
    )
    interaction = await anna.command("imagine", prompt="a fox", resolution="0.5K")
    with pytest.raises(NoResponse):
        await interaction.response(timeout=10)
    await env.wait_until_idle()
    env.discord.clear_faults("callback")
    assert (len(env.runcomfy.submits), env.charged_images(anna)) == (submits, 0)
    await done(env, anna)


@one_of_a_kind
async def test_lost_first_response_with_transient_errors(env: Environment, fault: dict[str, Any]) -> None:
    anna = env.new_member()
    env.discord.inject_fault("callback", 503, PAGE, is_after=True)
    env.discord.inject_fault("get_original", **fault)
    message = await done(env, anna)
    await assert_paid_once(env, anna, message)


async def test_lost_first_response_with_long_errors(env: Environment) -> None:
    anna = env.new_member()
    env.discord.inject_fault("callback", 503, PAGE, is_after=True)
    env.discord.inject_fault("get_original", **PASSING["limited by the edge"], times=4)
    message = await done(env, anna)
    await assert_paid_once(env, anna, message)


async def test_first_response_rejected_by_automod(env: Environment) -> None:
    anna = env.new_member()
    env.discord.inject_fault("callback", 400, AUTOMOD)
    message = await done(env, anna)
    await assert_paid_once(env, anna, message)
    first = [call for call in env.discord.trace if call.route == "callback"][-1].request_json["data"]
    assert "AutoMod" in str(first)
    assert "a fox" not in str(first)


ANSWERS = {
    "usage": "0 of 1000000 credits used",
    "jobs": "You have nothing in progress here",
    "settings": "Allowed channels: all",
    "quota show": "Everyone: 1000000 credits per month",
    "quota export": " credits spent, ",
}


async def assert_answered_once(person: Member, command: str) -> Interaction:
    """The first ephemeral message is the right one, however often it was sent, and the only one."""
    words = ANSWERS[command]
    interaction = await person.command(command)
    message = await interaction.response()
    await person.discord.until(lambda: words in message.text)
    assert interaction.messages == [message]
    assert message.is_ephemeral
    return interaction


@passing
async def test_transient_ephemeral_response_errors(env: Environment, fault: dict[str, Any]) -> None:
    env.discord.inject_fault("callback", **fault)
    usage = await assert_answered_once(env.new_member(), "usage")
    await env.discord.until(lambda: usage.message and usage.message.files)  # the chart follows


@pytest.mark.parametrize("fault", ["limited by the edge", "503, and it was done"])
@pytest.mark.parametrize("command", ["jobs", "settings", "quota show", "quota export"])
async def test_transient_errors_of_every_ephemeral_response(
    env: Environment, command: str, fault: str
) -> None:
    env.discord.inject_fault("callback", **PASSING[fault])
    interaction = await assert_answered_once(env.new_member(is_manager=True), command)
    if command == "quota export":
        assert interaction.message
        names = [each["filename"] for each in interaction.message.files]
        assert names == ["members.csv", "days.csv", "report.png"]


async def test_job_list_rejected_by_automod(held: Environment) -> None:
    anna = held.new_member()
    await held.wait_for_text(
        await held.imagine(anna, prompt="unheard words", resolution="0.5K"), "In queue, #"
    )
    held.discord.inject_fault("callback", 400, AUTOMOD, contains="unheard")
    listing = await (await anna.command("jobs")).response()
    assert "AutoMod" in listing.text
    assert "unheard" not in listing.text
    assert button_labels(listing) == ["Cancel 1"]


@one_of_a_kind
async def test_transient_panel_errors(env: Environment, fault: dict[str, Any]) -> None:
    panel = await (await env.mia.command("settings")).response()
    env.discord.inject_fault("callback", **fault)
    chosen = await env.mia.choose(panel, "settings:section:v1", "server")
    await env.discord.until(lambda: "Change time zone" in panel.buttons)
    env.discord.inject_fault("callback", **fault)
    form = await env.mia.press(panel, custom_id="settings:edit-timezone:v1")
    assert (await form.modal_response())["title"] == "Time zone"
    assert chosen.messages == [panel]  # without an error message
    assert form.messages == []


@pytest.mark.parametrize(
    ("command", "status"), [("usage", 400), ("jobs", 401), ("quota show", 403), ("quota export", 404)]
)
async def test_rejected_ephemeral_response_has_no_side_effects(
    env: Environment, command: str, status: int
) -> None:
    env.discord.inject_fault("callback", status, {"code": 50035, "message": "Invalid Form Body"})
    refused = await env.mia.command(command)
    await env.discord.until(
        lambda: any(refused.token in call.path and call.status == status for call in env.discord.trace)
    )
    assert ANSWERS[command] in await env.reply_to(env.mia, command)
    assert refused.messages == []


async def test_undeliverable_ephemeral_response_has_no_side_effects(env: Environment) -> None:
    env.discord.inject_fault("callback", **PASSING["500"], times=5)
    late = await env.mia.command("jobs")
    with pytest.raises(NoResponse):
        await late.response(timeout=4)
    env.discord.clear_faults("callback")
    assert ANSWERS["jobs"] in await env.reply_to(env.mia, "jobs")


# Progress


@pytest.mark.parametrize(
    "fault", [PASSING["limited by the edge"], PASSING["503, and it was done"], OUT_OF_REACH["50001"]]
)
async def test_failed_progress_edit_delays_nothing(held: Environment, fault: dict[str, Any]) -> None:
    anna = held.new_member()
    held.discord.inject_fault("edit_followup", **fault)
    message = await held.imagine(anna, resolution="0.5K")
    await held.discord.until(lambda: held.edits(message))
    finish(held)
    await held.wait_for_text(message, "✅")
    await assert_paid_once(held, anna, message)


# Images


@passing
async def test_images_are_delivered_despite_errors(held: Environment, fault: dict[str, Any]) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", **fault)
    finish(held)
    await held.wait_for_text(message, "✅")
    await assert_paid_once(held, anna, message)
    assert delivered(message) == 1


@passing
async def test_images_reach_an_old_message_despite_errors(held: Environment, fault: dict[str, Any]) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.age(message, 15 * 60)
    held.discord.inject_fault("edit_message", **fault)
    finish(held)
    await held.wait_for_text(message, "✅")
    await assert_paid_once(held, anna, message)
    assert delivered(message) == 1


@out_of_reach
async def test_unreachable_message_sends_images_by_direct_message(
    held: Environment, fault: dict[str, Any]
) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", **fault, times=20)
    finish(held)
    await assert_paid_once(held, anna, message)
    held.discord.clear_faults("edit_followup")
    assert "✅" in direct(anna).text
    assert delivered(direct(anna)) == 1


async def test_long_prompt_is_attached_to_direct_message(held: Environment) -> None:
    anna = held.new_member()
    prompt = "a lost fox " * 200
    message = await held.wait_for_text(
        await held.imagine(anna, prompt=prompt, resolution="0.5K"), "In queue, #"
    )
    held.mia.delete(message)
    finish(held)
    await assert_paid_once(held, anna, message)
    assert "prompt.txt" in direct(anna).text
    (text,) = [each for each in direct(anna).files if each["filename"] == "prompt.txt"]
    assert (await held.discord.file(text)).decode().strip() == prompt.strip()


async def test_new_message_unknown_to_discord_at_first(held: Environment) -> None:
    anna = held.new_member()
    held.discord.inject_fault("edit_followup", **OUT_OF_REACH["10008"])
    message = await held.imagine(anna, resolution="0.5K")
    await held.wait_for_rows(lambda: held.job(message)["request_id"])
    finish(held)
    await held.wait_for_text(message, "✅")
    await assert_paid_once(held, anna, message)
    assert anna.direct_messages.messages == []


async def test_message_too_old_to_edit_sends_images_by_direct_message(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.age(message, 2 * 3600)
    held.discord.inject_fault("edit_message", 429, OLD, headers=VIA, times=5)
    finish(held)
    await assert_paid_once(held, anna, message)
    assert delivered(direct(anna)) == 1


async def test_delivery_hides_prompt_rejected_by_automod(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="a fox", times=9)
    finish(held)
    await held.wait_for_text(message, "✅", "AutoMod")
    await assert_paid_once(held, anna, message)
    assert delivered(message) == 1
    assert "a fox" not in str(message.data["embeds"]) + str(message.files)
    held.discord.clear_faults("edit_followup")


# Direct messages


@pytest.mark.parametrize(
    ("route", "fault"),
    [
        ("create_dm", "limited by the edge"),
        ("create_dm", "503"),
        ("create_message", "limited by the edge"),
        ("create_message", "502"),
        ("create_message", "503"),
        ("create_message", "503, and it was done"),
    ],
)
async def test_transient_direct_message_errors(held: Environment, route: str, fault: str) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.mia.delete(message)
    held.discord.inject_fault(route, **PASSING[fault])
    finish(held)
    await assert_paid_once(held, anna, message)
    assert delivered(direct(anna)) == 1


@pytest.mark.parametrize(
    ("route", "code"), [("create_dm", 50007), ("create_message", 50007), ("create_message", 20009)]
)
async def test_rejected_direct_message_leaves_images_in_jobs(
    held: Environment, route: str, code: int
) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.mia.delete(message)
    held.discord.inject_fault(
        route, 403, {"code": code, "message": "Cannot send messages to this user"}, times=2
    )
    finish(held)
    await assert_paid_once(held, anna, message)
    await held.wait_for_rows(lambda: held.job(message)["token"] is None)
    listing = await (await anna.command("jobs")).response()
    fetched = await (await anna.press(listing, "Get images 1")).response()
    await held.wait_for_text(fetched, "✅")
    await assert_paid_once(held, anna, message)


# Failures and cancels


@one_of_a_kind
async def test_failure_is_shown_despite_errors(held: Environment, fault: dict[str, Any]) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", **fault)
    finish(held, "a worker died")
    await held.wait_for_text(message, "You weren't charged")
    await assert_paid_once(held, anna, message, images=0)


async def test_failure_hides_prompt_rejected_by_automod(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", 400, AUTOMOD, contains="a fox", times=9)
    finish(held, "a worker died")
    await held.wait_for_text(message, "You weren't charged", "AutoMod")
    assert "a fox" not in message.text
    held.discord.clear_faults("edit_followup")


@pytest.mark.parametrize("fault", [OUT_OF_REACH["50001"], OUT_OF_REACH["10008"]], ids=["50001", "10008"])
async def test_failure_is_sent_by_direct_message_if_unreachable(
    held: Environment, fault: dict[str, Any]
) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", **fault, times=20)
    finish(held, "a worker died")
    await assert_paid_once(held, anna, message, images=0)
    await held.wait_for_rows(lambda: held.job(message)["token"] is None)
    held.discord.clear_faults("edit_followup")
    assert "You weren't charged" in direct(anna).text


async def test_cancel_takes_effect_despite_display_errors(held: Environment) -> None:
    anna = held.new_member()
    message = await held.queued(anna)
    held.discord.inject_fault("edit_followup", **OUT_OF_REACH["50001"], times=2)
    await anna.press(message, "Cancel")
    await assert_paid_once(held, anna, message, images=0)
    await held.wait_for_rows(lambda: held.job(message)["token"] is None)
    held.discord.clear_faults("edit_followup")
    assert anna.direct_messages.messages == []
