"""Two bot processes on one PostgreSQL database have the limits of one, and divide them by what each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.e2e.accounts import check_accounts
from tests.e2e.processes import open_processes

if TYPE_CHECKING:
    from pathlib import Path

    from playground.discord import Message
    from playground.runcomfy import LocalRunComfy
    from tests.e2e.processes import Processes
    from tests.postgres import PostgresServer


def prompts(runcomfy: LocalRunComfy) -> list[str]:
    """Return the prompt of each request, in the order of submission."""
    return [str(submit.options["prompt"]) for submit in runcomfy.submits]


def most_at_once(runcomfy: LocalRunComfy) -> int:
    """Return how many requests were unfinished at the same time."""
    requests = runcomfy.requests.values()
    return max(
        sum(
            other.created_at <= each.created_at and (other.finished_at or "~") > each.created_at
            for other in requests
        )
        for each in requests
    )


async def heartbeats(both: Processes, number: int) -> None:
    """Wait until each process has renewed its lease as often."""
    for _ in range(number):
        await heartbeat(both, alive_until(both))


async def heartbeat(both: Processes, before: set[int]) -> None:
    await both.env.wait_for_rows(lambda: before.isdisjoint(alive_until(both)))


def alive_until(both: Processes) -> set[int]:
    return {row["alive_until"] for row in both.env.rows("select alive_until from processes")}


async def next_prompt(both: Processes) -> str:
    """End a request, and return the prompt of the one that takes its place."""
    runcomfy, before = both.env.runcomfy, len(both.env.runcomfy.submits)
    runcomfy.finish(runcomfy.start_next())
    await runcomfy.until(lambda: len(runcomfy.submits) > before)
    return prompts(runcomfy)[-1]


async def test_backlog_uses_idle_places_and_starves_no_other_process(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_processes(
        tmp_path, postgres_server, postgres_url, seconds=0, settings={"MAX_JOBS": "4"}
    ) as both:
        runcomfy = both.env.runcomfy
        runcomfy.hold()
        messages = [await both.imagine(prompt=f"backlog {number}") for number in range(8)]
        await runcomfy.until(lambda: len(runcomfy.submits) == 4)  # also the places of the idle process
        messages += [
            await both.imagine(prompt=f"other {number}", channel=both.other_channel) for number in range(3)
        ]
        await heartbeats(both, 3)
        assert prompts(runcomfy) == [f"backlog {number}" for number in range(4)]
        assert [await next_prompt(both) for _ in range(2)] == ["other 0", "other 1"]
        runcomfy.release()
        await all_end(both, messages)
        assert most_at_once(runcomfy) <= 4


async def all_end(both: Processes, messages: list[Message]) -> None:
    for message in messages:
        await both.env.wait_for_text(message, "✅")
    await both.env.wait_until_idle()
    assert len(both.env.runcomfy.submits) == len(messages)
    check_accounts(both.env)


async def test_members_limit_counts_in_both_processes(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    async with open_processes(
        tmp_path, postgres_server, postgres_url, seconds=0, settings={"MAX_JOBS_PER_USER": "2"}
    ) as both:
        runcomfy = both.env.runcomfy
        runcomfy.hold()
        channels = [both.channel, both.other_channel]
        messages = [await both.imagine(channel=channel) for channel in channels * 3]
        for message in messages[2:]:
            await both.env.wait_for_text(message, "In queue, #")
        await heartbeats(both, 2)
        assert len(runcomfy.submits) == 2
        runcomfy.release()
        await all_end(both, messages)
        assert most_at_once(runcomfy) <= 2


async def test_one_place_is_used_by_both_in_turns(
    tmp_path: Path, postgres_server: PostgresServer, postgres_url: str
) -> None:
    settings = {"MAX_JOBS": "1", **dict.fromkeys(("DEFAULT_QUOTA", "MAX_QUOTA"), "1000/day")}
    async with open_processes(
        tmp_path, postgres_server, postgres_url, seconds=(1, 2), settings=settings
    ) as both:
        backlog = [await both.imagine(prompt="backlog") for _ in range(40)]
        other = await both.imagine(prompt="other", channel=both.other_channel)
        await both.env.wait_for_text(other, "✅", timeout=120)
        assert not all("✅" in message.text for message in backlog)
        assert most_at_once(both.env.runcomfy) == 1
