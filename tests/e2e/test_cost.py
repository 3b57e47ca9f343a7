"""What a request costs is shown while it waits, and a large one is confirmed first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path


async def test_cost_and_credits_left_are_shown_until_generation_starts(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="10/day") as env:
        env.runcomfy.hold()
        message = await env.imagine(num_images=4, resolution="1K")
        assert "4 credits · 6 left today" in message.text
        await env.wait_for_text(message, "In queue, #1", "4 credits · 6 left today")
        edits = len(env.edits(message))
        await env.restart()
        await env.discord.until(lambda: len(env.edits(message)) > edits)
        assert "4 credits · 6 left today" in message.text
        env.runcomfy.release()
        await env.wait_for_text(message, "✅")
        assert "left today" not in message.text


LARGE: dict[str, Any] = {"num_images": 4, "resolution": "4K"}  # 10 credits


async def test_large_request_is_confirmed_first(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="16/day") as env:
        env.runcomfy.hold()
        question = await env.imagine(**LARGE)
        assert question.is_ephemeral
        assert "10 credits, and you have 16 left today" in question.text
        assert list(question.buttons) == ["Generate", "Cancel"]
        await env.alice.press(await env.imagine(**LARGE), "Cancel")
        await env.discord.until(lambda: any("Canceled" in each.text for each in env.discord.channel.messages))
        generate = question.buttons["Generate"]["custom_id"]
        forged = await env.bob.send_raw(custom_id=generate, message=question)
        assert "expired" in (await forged.response()).text
        assert env.rows() == []

        message = await (await env.alice.press(question, "Generate")).response()
        assert not message.is_ephemeral
        assert "10 credits · 6 left today" in message.text
        await env.discord.until(lambda: question.is_deleted)
        late = await env.alice.send_raw(custom_id=generate, message=question)
        assert "expired" in (await late.response()).text
        assert not (await env.imagine(num_images=4, resolution="1K")).is_ephemeral  # fewer than 5 credits

        await env.alice.press(message, "Cancel")
        await env.wait_for_text(message, "Canceled")
        reroll = await (await env.bob.press(message, "Re-roll")).response()
        assert "10 credits, and you have 16 left today" in reroll.text
        rerolled = await (await env.bob.press(reroll, "Generate")).response()
        assert "10 credits · 6 left today" in rerolled.text
        assert [env.charged_images(each) for each in (env.alice, env.bob)] == [4, 4]


async def test_answer_is_checked_again_and_a_restart_ends_the_question(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="16/day") as env:
        question = await env.imagine(**LARGE)
        await env.reply_to(env.mia, "quota set", limit=5, per="day")
        refusal = await (await env.alice.press(question, "Generate")).response()
        assert "This costs 10 credits, but your limit is 5" in refusal.text
        await env.reply_to(env.mia, "quota set", limit=16, per="day")
        message = await (await env.alice.press(question, "Generate")).response()  # a refusal leaves it open
        assert "10 credits · 6 left today" in message.text
        await env.wait_for_text(message, "✅", timeout=90)  # four 4K images to draw and to compress
        question = await env.imagine(**LARGE | {"resolution": "2K"})
        await env.restart()
        refusal = await (await env.alice.press(question, "Generate")).response()
        assert "expired" in refusal.text
        assert len(env.rows()) == 1


async def test_higher_cost_than_agreed_is_asked_again(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, DEFAULT_QUOTA="11/day") as env:
        store_settings(env, default_options={"resolution": "2K"})
        question = await (await env.alice.command("imagine", prompt="a fox", num_images=4)).response()
        assert "6 credits, and you have 11 left" in question.text
        store_settings(env, default_options={"resolution": "4K"})
        again = await (await env.alice.press(question, "Generate")).response()
        assert "10 credits, and you have 11 left" in again.text
        await env.discord.until(lambda: question.is_deleted)
        assert env.rows() == []
        message = await (await env.alice.press(again, "Generate")).response()
        assert "10 credits · 1 left today" in message.text
