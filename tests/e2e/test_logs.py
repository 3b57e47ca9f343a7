"""Every log line of a job has its id."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from playground.runcomfy import respond
from tests.e2e.environment import Environment, open_environment
from tests.e2e.health_client import free_port, samples
from tests.e2e.settings_panel import store_settings

if TYPE_CHECKING:
    from pathlib import Path


def lines(env: Environment) -> list[dict[str, Any]]:
    """Return the complete lines of the log so far."""
    return [json.loads(line) for line in env.log.splitlines(keepends=True) if line.endswith("\n")]


async def summaries(env: Environment, jobs: int) -> list[dict[str, Any]]:
    """Wait for the summaries of this many jobs; each is written a moment after its job ended."""
    await env.wait_for_rows(lambda: sum("fields" in line for line in lines(env)) >= jobs)
    return [line for line in lines(env) if "fields" in line]


async def test_each_line_of_a_job_has_its_id(tmp_path: Path) -> None:
    """With one job at a time, the end of each edits the messages of the others."""
    runcomfy = {"workers": 1, "seconds": 1}
    async with open_environment(
        tmp_path, runcomfy=runcomfy, LOG_FORMAT="json", LOG_LEVEL="DEBUG", MAX_JOBS="1"
    ) as env:
        messages = [await env.imagine(env.new_member(), resolution="0.5K") for _ in range(4)]
        await env.wait_for_text(messages[0], "✅")
        # A button of one job starts another job.
        messages.append(await (await env.alice.press(messages[0], "Re-roll")).response())
        for message in messages:
            await env.wait_for_text(message, "✅")
        await env.wait_until_idle()
        await env.bot.stop()
        written = lines(env)
        for message in messages:
            row = env.job(message)
            # discord.py logs every edit, in the task that makes it.
            signs = re.compile(rf"/{message.id}\b|{row['request_id']}\b|{row['job_id']}")
            mine = [line for line in written if signs.search(line["message"])]
            outgoing = [line for line in mine if line["logger"] not in {"discord.gateway", "aiosqlite"}]
            assert len(outgoing) >= 3
            assert {line.get("job") for line in outgoing} == {row["job_id"]}
            assert [line["message"] for line in written if line.get("job") == row["job_id"]]


async def test_job_collected_later_is_counted_once(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"LOG_FORMAT": "json", "HEALTH_PORT": free_port()}
    async with open_environment(tmp_path, runcomfy={"seconds": 0}, **settings) as env:
        log = env.discord.guild.add_channel("log")
        store_settings(env, log_channel=int(log.id))
        env.runcomfy.inject_fault("file", respond(404))
        message = await env.imagine(resolution="0.5K", num_images=2)
        await env.wait_for_text(message, "1 of 2 images arrived")
        await env.wait_for_end(message)
        fetch = next(label for label in message.buttons if label.startswith("Get images"))
        again = await (await env.alice.press(message, fetch)).response()
        await env.wait_for_text(again, "✅")
        ended = [line["fields"] for line in await summaries(env, 2)]
        assert [fields["images"] for fields in ended] == ["1 of 2", "2 of 2"]
        assert [fields["credits"] for fields in ended] == [1.5, 1.5]
        ((_, spent),) = (await samples(env))["imagine_spent_credits_total"]
        assert spent == 1.5  # both images, counted when the job first ended
        await env.discord.until(lambda: len(log.messages) == 2)
        assert "generated 1 image" in log.messages[0].text
        assert "generated 2 images" in log.messages[1].text


async def test_one_line_summarizes_a_job(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy={"seconds": 0.5}, LOG_FORMAT="json") as env:
        env.runcomfy.hold()
        done = await env.imagine(env.alice, resolution="0.5K", num_images=2)
        await env.wait_for_text(done, "In queue, #")
        request_id = env.runcomfy.start_next()
        await env.wait_for_text(done, "Generating")
        env.runcomfy.finish(request_id)
        await env.wait_for_text(done, "✅")
        env.runcomfy.release()
        refused = await env.imagine(env.bob, prompt="refuse this", resolution="0.5K")
        await env.wait_for_text(refused, "You weren't charged")
        env.runcomfy.hold()
        cancelled = await env.queued()
        await env.alice.press(cancelled, "Cancel")
        await env.wait_for_text(cancelled, "Canceled")
        ended = await summaries(env, 3)
        assert [line["job"] for line in ended] == [
            env.job(each)["job_id"] for each in (done, refused, cancelled)
        ]
        first, second, third = (line["fields"] for line in ended)
        assert (first["status"], first["images"], first["credits"]) == ("succeeded", "2 of 2", 1.5)
        path = f"/v1/requests/{env.job(done)['request_id']}/status"
        assert first["polls"] == sum(call.path == path for call in env.runcomfy.calls)
        parts = [first[f"{name}_seconds"] for name in ("queued", "generating", "delivery")]
        assert all(part > 0 for part in parts)
        assert abs(first["total_seconds"] - sum(parts)) < 5
        assert (second["status"], second["images"]) == ("failed", "0 of 1")
        assert second["error"]
        assert "delivery_seconds" not in second
        assert (third["status"], third["credits"]) == ("cancelled", 0)
        assert "ended: status succeeded, images 2 of 2, created " in ended[0]["message"]
