"""`python -m bot first-run`: what differs from the stand-ins, for at most one paid request."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from playground.discord import payloads
from playground.runcomfy import edit_json, reset, respond
from tests.e2e.cli import end_command, run_command, run_in_terminal, start_command
from tests.e2e.environment import open_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.environment import Environment

FAST = {"seconds": 0.05}
ROW = re.compile(r"(same|different|note|skipped) +(\S.*)")
LEFT = 9 + 2  # the column of the questions
SEEN = LEFT + 24 + 2 + 32 + 2


def rows(text: str) -> dict[str, tuple[str, str]]:
    """Return the result and what was seen, by question."""
    found: dict[str, tuple[str, str]] = {}
    lines = text.partition("\n---------  ")[2].splitlines()[1:]
    question = ""
    for line in lines:
        name, seen = line[LEFT:].partition("  ")[0].strip(), line[SEEN:]
        if line[:LEFT].strip():
            question = name
            found[question] = (line[:LEFT].strip(), seen)
        else:
            result, before = found[question]
            found[question] = (result, f"{before} {seen}".strip())
    return found


def differences(text: str) -> dict[str, str]:
    return {question: seen for question, (result, seen) in rows(text).items() if result == "different"}


def accepted(env: Environment) -> list[str]:
    """Return the ids of the requests that can be charged."""
    return [submit.request_id for submit in env.runcomfy.submits if submit.request_id]


async def test_nothing_differs_beside_the_running_bot(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=FAST) as env:
        before = len(env.discord.trace)
        code, text = await run_command(env, "first-run", "--yes")
        assert (code, differences(text)) == (0, {})
        found = rows(text)
        assert len(found) > 25
        assert found["cost"] == ("same", "$0.0375, known at once")
        assert re.search(
            r"about \$0\.0375; the most that an image of this model can cost is \$0\.\d+\.", text
        )
        assert all(call.method == "GET" for call in env.discord.trace[before:])
        assert not any("gateway" in call.path for call in env.discord.trace[before:])
        assert env.discord.is_online
        assert env.rows() == []
        assert len(accepted(env)) == 1
        # The invalid request was refused.
        assert [submit.request_id is None for submit in env.runcomfy.submits] == [True, False]
        for secret in (accepted(env)[0], "/files/", "bG9jYWwtYWNjb3VudA", "Playground"):
            assert secret not in text


@pytest.mark.parametrize("typed", [None, "n\n", "\n", "\x04", "si\n"])
async def test_without_a_yes_only_free_questions_are_asked(tmp_path: Path, typed: str | None) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        if typed is None:
            code, text = await run_command(env, "first-run")
            assert "there is no terminal to ask in" in text
        else:
            code, text = await run_in_terminal(env, "first-run", typed=typed)
            assert "Send it? [y/N]" in text
        assert (code, differences(text)) == (0, {})
        assert rows(text)["one image"] == ("skipped", "not sent; nothing was spent")
        assert rows(text)["bad token"][0] == "same"
        assert {call.route for call in env.runcomfy.calls} == {"status", "model"}
        assert not (tmp_path / "data").exists()


async def test_yes_in_a_terminal(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        code, text = await run_in_terminal(env, "first-run", typed="y\nn\n")
        assert (code, len(accepted(env))) == (0, 1)
        assert "download" in rows(text)


async def test_edit_after_a_second_yes(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        code, text = await run_in_terminal(env, "first-run", typed="y\ny\n")
        assert (code, differences(text)) == (0, {})
        assert rows(text)["edit: download"][0] == "same"
        assert len(accepted(env)) == 2
        edit = env.runcomfy.requests[accepted(env)[1]]
        assert edit.model_id == "google/nano-banana-2/edit"
        assert edit.input["resolution"] == "0.5K"
        assert edit.input["image_urls"][0].startswith("data:image/png;base64,")


async def test_edit_that_is_refused(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.switches.data_uris = "refused"
        env.runcomfy.switches.single_as_image = True
        code, text = await run_in_terminal(env, "first-run", typed="y\ny\n")
        assert code == 1
        assert differences(text).keys() == {"output", "edit: submit"}
        assert "HTTP 422" in differences(text)["edit: submit"]
        assert len(accepted(env)) == 1


async def test_unknown_price_is_not_agreed_to_in_advance(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.inject_fault("model", edit_json(lambda body: body.update(base_price_usd=0)), times=None)
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 1
        assert "--yes does not agree to an unknown price" in text
        assert differences(text)["/imagine: price"].startswith("$0 per output. ")
        assert env.runcomfy.submits == []
        code, text = await run_in_terminal(env, "first-run", typed="y\nn\n")
        assert "what it costs is unknown" in text
        assert len(accepted(env)) == 1


async def test_plain_http_errors_differ_but_are_understood(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST | {"profile": "http"}) as env:
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 1
        assert differences(text).keys() == {"bad token", "unknown request_id", "unknown model_id"}
        assert all("the bot understands it" in seen for seen in differences(text).values())
        assert differences(text)["bad token"].startswith("HTTP 401")


CHANGES: list[tuple[str, Callable[[dict[str, Any]], object], dict[str, str]]] = [
    (
        "result",
        lambda body: body.get("output") and body.update(output={"image": body["output"]["images"][0]}),
        {"output": "{image: text} (the bot finds 1 files)"},
    ),
    (
        "result",
        lambda body: (
            body.get("output")
            and body.update(output={"images": ["https://files.example.com/acct4711/x.png?sig=4711"]})
        ),
        {"file host": "its host files.example.com is not in RUNCOMFY_FILE_HOSTS"},
    ),
    (
        "status",
        lambda body: body.get("status") == "completed" and body.update(status="ready"),
        {"status words": "in_progress, then ready"},
    ),
    (
        "status",
        lambda body: "status" in body and body.update(status="hocus-pocus"),
        {"status words": "hocus-pocus (the bot does not understand hocus-pocus)"},
    ),
    (
        "submit",
        lambda body: body.update(status_url="https://example.com/acct4711/status"),
        {"submit: addresses": "status_url: another place: https://example.com/..."},
    ),
    (
        "cancel",
        lambda body: body.update(outcome="cancelled"),
        {"cancel after the end": "HTTP 202, {request_id: text, status: completed, outcome: cancelled}"},
    ),
    ("cost", lambda body: body.update(cost=0.05), {"cost": "$0.05, known at once"}),
    (
        "model",
        lambda body: body["input_schema"]["properties"].pop("seed"),
        {"/imagine: schema": "seed: RunComfy no longer has it"},
    ),
]


@pytest.mark.parametrize(("route", "change", "expected"), CHANGES)
async def test_what_differs_is_reported(
    tmp_path: Path, route: str, change: Callable[[dict[str, Any]], object], expected: dict[str, str]
) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy={"seconds": 0.5}) as env:
        env.runcomfy.inject_fault(route, edit_json(change), times=None)
        code, text = await run_command(env, "first-run", "--yes")
        found = differences(text)
        assert code == 1
        assert {question: found.get(question) for question in expected} == expected
        assert len(accepted(env)) == 1
        assert "download" in rows(text) or "file host" in found
        assert "4711" not in text


async def test_late_cost_and_rate_limits(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.inject_fault("cost", edit_json(lambda body: body.pop("cost")))
        limited = respond(404, {"error_code": 404001}, headers={"X-RateLimit-Remaining": "59"})
        env.runcomfy.inject_fault("status", limited)
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 0
        assert rows(text)["cost"][1] == "$0.0375, known after 1 s"
        assert rows(text)["rate limit headers"][1] == "X-RateLimit-Remaining: 59"


async def test_echoed_secrets_are_hidden(tmp_path: Path) -> None:
    """Also in parts, and with terminal codes and the end of a code block around them."""
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        token = env.settings["RUNCOMFY_TOKEN"]
        text = f"\x1b[31m``` {{token}} {token[:12]} of me@example.com, {'9' * 18}\nsame  all" + "x" * 9999
        env.runcomfy.inject_fault("status", respond(404, {"error_code": 404001, "error_message": text}))
        code, text = await run_command(env, "first-run")
        assert code == 0
        seen = rows(text)["unknown request_id"][1]
        assert r"\x1b[31m''' *** *** of <e-mail>, <id>\nsame  all" in seen
        assert len(seen) < 700
        assert token[:12] not in text


async def test_invalid_request_that_is_accepted_is_canceled(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST | {"workers": 1}) as env:
        accept_everything(env)
        env.runcomfy.hold()
        command = asyncio.create_task(run_command(env, "first-run", "--yes"))
        await env.runcomfy.until(lambda: len(accepted(env)) == 2)
        env.runcomfy.release()
        code, text = await command
        assert code == 1
        seen = differences(text)["invalid aspect_ratio"]
        assert "canceled: HTTP 202" in seen
        first, second = (env.runcomfy.requests[each].state for each in accepted(env))
        assert (first, second) == ("cancelled", "succeeded")
        assert "download" in rows(text)


async def test_invalid_request_that_is_not_canceled_is_the_only_one(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        accept_everything(env)
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 1
        assert "not canceled, so nothing else was sent" in differences(text)["invalid aspect_ratio"]
        assert len(env.runcomfy.submits) == 1
        assert "download" in rows(text)


def accept_everything(env: Environment) -> None:
    """Let the local RunComfy accept any shape of image."""
    for entry in env.runcomfy.catalogue.values():
        entry["input_schema"]["properties"].get("aspect_ratio", {}).pop("enum", None)


@pytest.mark.parametrize("fault", [reset(is_after=True), respond(502, "<html>{token}")])
async def test_lost_response_to_the_invalid_request(tmp_path: Path, fault: Any) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.inject_fault("submit", fault)
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 1
        assert "it may exist, so nothing else was sent" in differences(text)["invalid aspect_ratio"]
        assert len(env.runcomfy.submits) == 1


async def test_lost_response_to_the_request(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.inject_fault("submit", respond(422, {"error_code": 422001}))
        env.runcomfy.inject_fault("submit", reset(is_after=True))
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 1
        assert "it may exist and be charged, so it isn't repeated" in differences(text)["submit"]
        assert len(env.runcomfy.submits) == 2


async def test_failed_request(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.queue.failure = {"code": 7, "message": "the model is asleep"}
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 1
        assert "status: failed" in differences(text)["result"]
        assert "the model is asleep" in differences(text)["result"]


async def test_interrupted_request(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        env.runcomfy.hold()
        process = await start_command(env, "first-run", "--yes")
        await env.runcomfy.until(lambda: accepted(env))
        (request_id,) = accepted(env)
        polled = len(env.runcomfy.calls) + 3
        await env.runcomfy.until(lambda: len(env.runcomfy.calls) >= polled)
        process.send_signal(signal.SIGINT)
        code, text = await end_command(env, process)
        assert code == 130
        assert f"The request {request_id[:8]}... (google/nano-banana-2/text-to-image, sent 20" in text
        assert "was last known as: in_queue" in text
        assert "generations of your RunComfy" in text
        assert request_id not in text
        assert rows(text)["the rest"] == ("skipped", "interrupted")
        assert rows(text)["submit"][0] == "same"


async def test_interrupted_before_anything_is_sent(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False, runcomfy=FAST) as env:
        terminal, stdin = pty.openpty()
        process = await start_command(env, "first-run", stdin=stdin)
        assert process.stdout
        await asyncio.wait_for(process.stdout.readuntil(b"[y/N] "), 30)
        process.send_signal(signal.SIGINT)
        code, text = await end_command(env, process)
        os.close(terminal)
        os.close(stdin)
        assert code == 130
        assert "Nothing was spent" in text
        assert rows(text)["bad token"][0] == "same"
        assert env.runcomfy.submits == []


async def test_settings_or_access_that_make_it_impossible(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        good = dict(env.settings)
        env.settings |= {"RUNCOMFY_TOKEN": "wrong-token-4711"}
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 2
        assert "Can't ask RunComfy: RunComfy rejects RUNCOMFY_TOKEN" in text
        assert rows(text)["Discord: token"][0] == "same"
        env.settings |= good | {"RUNCOMFY_API_URL": "http://127.0.0.1:1"}
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 2
        assert "no usable response (ClientConnectorError)" in text
        env.settings |= good | {"BUDGET": "much"}
        code, text = await run_command(env, "first-run", "--yes")
        assert code == 2
        assert text.startswith("Can't start the first run: BUDGET")
        assert env.runcomfy.submits == []


async def test_discord_differs(tmp_path: Path) -> None:
    async with open_environment(tmp_path, is_started=False) as env:
        application = payloads.application(env.discord.bot, env.mia.payload)
        endpoint = "https://example.net/acct4711"
        changes = {"interactions_endpoint_url": endpoint, "flags": 1 << 18, "name": "Secret name"}
        env.discord.inject_fault("application", 200, application | changes)
        code, text = await run_command(env, "first-run")
        assert code == 1
        assert differences(text) == {
            "Discord: endpoint URL": "set",
            "Discord: intents": "gateway_message_content",
        }
        assert rows(text)["Discord: /imagine"][0] == "note"
        assert "4711" not in text
        assert "Secret name" not in text
        env.settings |= {"DISCORD_TOKEN": "bm90LWEtdG9rZW4.wrong.value"}
        code, text = await run_command(env, "first-run")
        assert (code, differences(text)) == (1, {"Discord: token": "rejected"})
