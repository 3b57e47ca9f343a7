"""Jobs with pictures: how RunComfy gets them, how many at once, and what happens if that breaks."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bot.domain.job import InputFile, Job, JobStatus
from bot.domain.quota import Limits
from playground.runcomfy import wait_for
from playground.runcomfy.catalogue import catalogue_entry
from tests.factories import make_job, reserve
from tests.image_files import picture
from tests.jobs.bot import running_bot
from tests.runcomfy.test_local_file_inputs import EDIT, SCHEMA
from tests.tcp import tcp_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.jobs.bot import Bot

EARLIER = make_job()
LARGE = picture("PNG").ljust(5 * 2**20, b"\0")
PATH = "https://cdn.discordapp.com/attachments/1/2/fox.png"


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """A bot that keeps two pictures of an earlier job."""
    async with running_bot(tmp_path) as running:
        running.runcomfy.catalogue[EDIT] = catalogue_entry(EDIT, SCHEMA)
        for number, data in enumerate((picture("PNG"), LARGE), 1):
            path = running.context.kept.input_path(EARLIER.job_id, number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        yield running


async def begin(bot: Bot, *files: InputFile, user_id: int = 5) -> Job:
    """Reserve a job with these pictures, and start it."""
    job = make_job(model_id=EDIT, input_files=files, input={"prompt": "a fox"}, user_id=user_id)
    assert await reserve(bot.jobs, job, Limits())
    bot.runner.start(job, message_id=5)
    return job


def listed(number: int = 1, *, url: str | None = None) -> InputFile:
    kept = f"{EARLIER.job_id}/input-{number}.png"
    return InputFile(option="image_urls", is_list=True, kept=kept, url=url)


def uri(data: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(data).decode()


async def test_lists_and_single_pictures_are_sent_as_data_uris(bot: Bot) -> None:
    single = replace(listed(), option="mask_url", is_list=False)
    job = await begin(bot, listed(2), single, listed())
    await bot.in_state(job, JobStatus.SUCCEEDED)
    [submit] = bot.runcomfy.submits
    small, large = uri(picture("PNG")), uri(LARGE)
    assert submit.input == {"prompt": "a fox", "image_urls": [large, small], "mask_url": small}


async def test_list_of_one_picture_is_a_list(bot: Bot) -> None:
    await bot.in_state(await begin(bot, listed()), JobStatus.SUCCEEDED)
    assert bot.runcomfy.submits[0].input == {"prompt": "a fox", "image_urls": [uri(picture("PNG"))]}


async def test_urls_are_sent_while_they_are_valid(bot: Bot) -> None:
    object.__setattr__(bot.context, "file_inputs", "url")
    bot.runcomfy.switches.urls = "failing"  # it can't reach Discord
    soon, later = (datetime.now(UTC) + timedelta(minutes=each) for each in (20, 40))
    links = [f"{PATH}?ex={int(time.timestamp()):x}&is=1&hm=2" for time in (later, soon)]
    others = [None, PATH.replace("cdn.discordapp.com", "example.com"), f"{PATH}?ex=x"]
    job = await begin(bot, *(listed(url=url) for url in (*links, PATH, *others)))
    await bot.runcomfy.until(lambda: bot.runcomfy.submits)
    data = uri(picture("PNG"))
    expected = [links[0], data, PATH, data, data, data]
    assert bot.runcomfy.submits[0].input == {"prompt": "a fox", "image_urls": expected}
    await bot.in_state(job, JobStatus.FAILED)


async def test_result_that_repeats_the_pictures_is_delivered(bot: Bot) -> None:
    bot.runcomfy.switches.echoes_input = True
    job = await bot.in_state(await begin(bot, listed(2), listed(2)), JobStatus.SUCCEEDED)
    assert bot.channel.images[job.job_id] == 1
    await bot.execute("update jobs set next_cost_check_at = 0")
    await bot.cost_sync.collect_costs()
    assert (await bot.jobs.get(job.job_id)).cost


@pytest.mark.parametrize("is_purged", [True, False])
async def test_such_a_result_is_delivered_after_a_restart(bot: Bot, *, is_purged: bool) -> None:
    bot.runcomfy.switches.echoes_input = True
    bot.runcomfy.hold()
    job = await bot.in_state(await begin(bot, listed(2), listed(2)), JobStatus.IN_QUEUE)
    await bot.crash()
    if is_purged:
        await bot.context.kept.remove(job.job_id)
    bot.runcomfy.release()
    await bot.start()
    await bot.in_state(job, JobStatus.SUCCEEDED)
    assert len(bot.runcomfy.submits) == 1


async def test_two_jobs_send_their_pictures_at_once(bot: Bot) -> None:
    """The third waits where it can still be cancelled, and one without pictures does not wait."""
    answered = asyncio.Event()
    bot.runcomfy.inject_fault("submit", wait_for(answered), times=2)
    first, second = [await begin(bot, listed(), user_id=each) for each in (1, 2)]
    await bot.runcomfy.until(lambda: len(bot.runcomfy.submits) == 2)
    third, fourth = [await begin(bot, listed(), user_id=each) for each in (3, 4)]
    plain = make_job(user_id=5)
    assert await reserve(bot.jobs, plain, Limits())
    await bot.in_state(third, JobStatus.WAITING)
    assert await bot.runner.cancel(await bot.jobs.get(third.job_id))
    assert (await bot.jobs.get(fourth.job_id)).status is JobStatus.WAITING
    assert len(bot.runcomfy.submits) == 2
    answered.set()
    for job in (first, second, fourth):
        await bot.in_state(job, JobStatus.SUCCEEDED)
    await bot.in_state(third, JobStatus.CANCELLED)
    assert len(bot.runcomfy.submits) == 3


async def test_picture_that_disappears_before_its_submit(bot: Bot) -> None:
    job = make_job(model_id=EDIT, input_files=(replace(listed(), name="input-1.png"),), message_id=5)
    assert await reserve(bot.jobs, job, Limits())
    bot.runner.start(job, message_id=5)
    failed = await bot.in_state(job, JobStatus.FAILED)
    assert (failed.error, failed.refunded, failed.budget_refunded) == ("input-unavailable", 1, 1)
    assert bot.runcomfy.submits == []


async def test_stop_during_an_upload_submits_nothing_and_the_next_start_does(bot: Bot) -> None:
    posted = asyncio.Event()

    async def read_only_the_head(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        if (await reader.readuntil(b"\r\n\r\n")).startswith(b"POST"):
            posted.set()
        await asyncio.Event().wait()

    file = replace(listed(), name="input-1.png")
    job = make_job(model_id=EDIT, input={"prompt": "a fox"}, input_files=(file,))
    path = bot.context.kept.input_path(job.job_id, 1)
    path.parent.mkdir()
    path.write_bytes(LARGE.ljust(15 * 2**20, b"\0"))  # more than the buffers of a connection take
    assert await reserve(bot.jobs, job, Limits())
    async with tcp_server(read_only_the_head) as port:
        bot.context.runcomfy._api_url = f"http://127.0.0.1:{port}"
        bot.runner.start(job, message_id=5)
        await posted.wait()
        await bot.runner.close()
        assert (await bot.jobs.get(job.job_id)).status is JobStatus.WAITING
        await bot.crash()
    await bot.start()
    await bot.in_state(job, JobStatus.SUCCEEDED)
    assert len(bot.runcomfy.submits) == 1
