"""The invariants that hold after any number of kills."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from tests.crash.kill_points import job_prompt
from tests.crash.taps import SIGNS
from tests.e2e.accounts import FINAL, check_accounts, delivered

if TYPE_CHECKING:
    from playground.discord import Message
    from tests.crash.kill_points import Row
    from tests.crash.taps import TappedRunComfy
    from tests.e2e.environment import Environment

_SETTLED_SECONDS = 45


async def check(env: Environment, runcomfy: TappedRunComfy) -> None:
    """Wait until all jobs ended, then check rows, submits, requests, messages and charges."""
    runcomfy.gone.clear()
    runcomfy.busy.clear()
    runcomfy.release()
    await settled(env)
    for row in env.rows():
        if not row["text_removed_at"]:
            _check_reason(row)
            _check_request(row, runcomfy)
    _check_messages(env)
    _check_posts(env)
    check_accounts(env)
    await _fetch_all(env)
    _check_nothing_is_lost(env, runcomfy)
    _check_messages(env)
    check_accounts(env)
    await _nothing_is_left_behind(env)
    assert await env.bot.stop() == 0


async def settled(env: Environment) -> None:
    """Wait until every job has ended and its user was notified."""
    try:
        async with asyncio.timeout(_SETTLED_SECONDS):
            while _open(env):  # noqa: ASYNC110 (a database has no event to wait for)
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"never ended, or user never notified: {_open(env)}") from None


def _open(env: Environment) -> list[Row]:
    unfinished = [row for row in env.rows() if row["status"] not in FINAL or row["token"]]
    return unfinished + env.rows(
        "select * from left_messages join jobs using (job_id) where deleted_at is not null"
    )


def _check_reason(row: Row) -> None:
    """Only kills disturbed the bot, so a job fails because of its prompt or because its submit is unknown."""
    if row["status"] != "failed":
        return
    if row["message_id"] is None:
        expected = "delivery-failed"  # its first response never arrived
    elif row["request_id"] is None:
        expected = "submission-unknown"
    else:
        words = job_prompt(row)
        expected = "prompt-refused" if "refuse" in words else "output-unavailable" if "gone" in words else ""
    assert row["error"] == expected, row


def _check_request(row: Row, runcomfy: TappedRunComfy) -> None:
    """RunComfy has at most one request per job, which ended like the job."""
    made = [request for request in runcomfy.requests.values() if request.input["prompt"] == job_prompt(row)]
    assert len(made) <= 1, row
    if row["request_id"]:
        (request,) = made
        assert request.request_id == row["request_id"], row
        assert (request.state == "cancelled") == (row["status"] == "cancelled"), (row, request)
    elif made:
        assert row["error"] == "submission-unknown", row


def _check_messages(env: Environment) -> None:
    """Every visible message shows one final state, that of its row."""
    rows = {str(row["message_id"]): row for row in env.rows() if row["message_id"]}
    public = [message for message in env.discord.channel.messages if not message.is_ephemeral]
    assert all(count == 1 for count in Counter(id(message.interaction) for message in public).values())
    for message in public:
        lines = [line.removeprefix("-# ") for line in message.text.splitlines()]
        signs = [status for status, sign in SIGNS.items() if any(line.startswith(sign) for line in lines)]
        assert len(signs) == 1, message.text
        assert not any(":cancel:" in part["custom_id"] for part in _buttons(message)), message.text
        if message.id in rows:
            assert signs == [rows[message.id]["status"]], (rows[message.id], message.text)
        else:  # the images were refetched into a newer message
            assert signs == ["failed"], message.text
    assert set(rows) <= {message.id for message in public}


def _buttons(message: Message) -> list[dict[str, str]]:
    return [part for row in message.components for part in row["components"]]


def _check_posts(env: Environment) -> None:
    """No job was submitted twice, and none without a visible message."""
    posted = Counter(
        str(each.input["prompt"]) for each in env.runcomfy.submits if isinstance(each.input, dict)
    )
    # A busy RunComfy rejects the submit, which is then repeated; it still has one request per job.
    assert [each for each, times in posted.items() if times > 1 and not each.startswith("busy")] == []
    unseen = {job_prompt(row) for row in env.rows() if row["message_id"] is None and not row["request_id"]}
    assert unseen & set(posted) == set()


async def _fetch_all(env: Environment) -> None:
    """Everything left to refetch is listed in /jobs and can be refetched."""
    for person in env.discord.members.values():
        while True:
            listing = await (await person.command("jobs")).response()
            fetch = [part["custom_id"] for part in _buttons(listing) if ":fetch:" in part["custom_id"]]
            if not fetch:
                break
            fetched = await (await person.press(listing, custom_id=fetch[0])).response()
            await env.wait_for_text(fetched, SIGNS["succeeded"])
            await settled(env)


def _check_nothing_is_lost(env: Environment, runcomfy: TappedRunComfy) -> None:
    """Every image of a request whose id the bot stored is in Discord."""
    for row in env.rows():
        request = runcomfy.requests.get(row["request_id"] or "")
        if request and request.state == "succeeded" and not row["deleted_at"]:
            assert delivered(env.discord.message(str(row["message_id"]))) == row["image_count"], row


async def _nothing_is_left_behind(env: Environment) -> None:
    """No file is left on the disk, because everything was delivered or refetched."""
    files = env.folder / "data" / "files"
    try:
        await env.wait_for_rows(lambda: not [*files.glob("*")])  # deleted shortly after the row ended
    except TimeoutError:
        assert [folder.name for folder in files.glob("*")] == []
