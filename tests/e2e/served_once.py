"""Checks that hold after any disturbance of two processes: each request ended once, and was paid once."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import TYPE_CHECKING

from tests.crash.taps import SIGNS
from tests.e2e.accounts import FINAL, check_accounts

if TYPE_CHECKING:
    from tests.e2e.processes import SharedEnvironment

_SETTLED_SECONDS = 180
"""Late results are looked for every minute, and a forgotten job is continued after two."""
OPEN = """
select * from jobs
where status not in ('succeeded', 'failed', 'cancelled') or token is not null
    or next_check_at <= extract(epoch from now()) * 1000
"""


async def check_served_once(env: SharedEnvironment) -> None:
    """Wait until every job has ended, and check submits, messages and accounts."""
    try:
        async with asyncio.timeout(_SETTLED_SECONDS):
            while env.rows(OPEN):  # noqa: ASYNC110 (a database has no event to wait for)
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"never ended: {env.rows(OPEN)}") from None
    prompts = Counter(each.options["prompt"] for each in env.runcomfy.submits)
    assert [prompt for prompt, times in prompts.items() if times > 1] == []
    rows = env.rows()
    assert all(row["status"] in FINAL for row in rows)
    known = {row["request_id"] for row in rows if row["request_id"]}
    lost = len(env.runcomfy.requests.keys() - known)
    assert lost <= sum(row["error"] == "submission-unknown" for row in rows)
    check_messages(env, {str(row["message_id"]): row["status"] for row in rows})
    check_accounts(env, free=refunded_before(env))


def refunded_before(env: SharedEnvironment) -> set[str]:
    """Return the jobs that were refunded while their submission was unknown; late images of them are free."""
    return set(re.findall(r"job (\w+): ended: status failed, error submission-unknown", env.log))


def check_messages(env: SharedEnvironment, statuses: dict[str, str]) -> None:
    """Each request has one message, which shows its end."""
    messages = [
        message
        for channel in env.discord.channels.values()
        for message in channel.messages
        if not message.is_ephemeral
    ]
    assert max(Counter(id(message.interaction) for message in messages).values()) == 1
    for message in messages:
        lines = [line.removeprefix("-# ") for line in message.text.splitlines()]
        signs = [status for status, sign in SIGNS.items() if any(line.startswith(sign) for line in lines)]
        assert signs == [statuses[message.id]], message.text
