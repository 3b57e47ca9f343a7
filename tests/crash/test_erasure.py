"""Kills before and after each step of deleting what is stored about a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.crash.harness import Harness, open_harness
from tests.crash.invariants import check
from tests.crash.kill_points import Call, Point, Unwritten, Written
from tests.crash.test_each_step import kill_at_each
from tests.crash.test_presses import job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crash.kill_points import Act
    from tests.databases import StoredDatabase

_ASKED = "select job_id from jobs join erasures using (user_id)"
_job_ids: dict[str, str] = {}
"""By prompt, since an erased row no longer has it."""


class Asked(Written):
    """The wish is in the database, and nothing was deleted yet."""

    def _holds(self, database: StoredDatabase, prompt: str) -> bool:
        return _job_ids[prompt] in {row["job_id"] for row in database.rows(_ASKED)}


ERASING: list[Point] = [
    Unwritten(),
    Asked({}),
    Call("delete_message", "arrived"),
    Call("delete_message", "made"),
    Call("delete_message", "answered"),
]


async def erase(harness: Harness, prompt: str) -> Act:
    row = await job(harness, prompt, status="succeeded")
    _job_ids[prompt] = row["job_id"]
    await harness.env.wait_for_rows((harness.env.folder / "data" / "kept" / row["job_id"]).exists)
    person = harness.env.author(harness.env.discord.message(str(row["message_id"])))
    panel = await (await person.command("privacy")).response()
    form = await person.press(panel, "Delete my data")
    await form.modal_response()
    return lambda: person.submit(form)


async def test_erased_person(tmp_path: Path) -> None:
    """If the wish was recorded, nothing but numbers is left; otherwise nothing has changed."""
    async with open_harness(tmp_path) as harness:
        env = harness.env
        await kill_at_each(harness, "erase", erase, ERASING)
        erased = {row["job_id"] for row in env.rows(_ASKED)}
        await env.wait_for_rows(
            lambda: all(row["text_removed_at"] for row in env.rows() if row["job_id"] in erased)
        )
        await check(env, harness.runcomfy)
        rows = {row["job_id"]: row for row in env.rows()}
        assert len(erased) >= len(ERASING) - 1
        for job_id in _job_ids.values():
            is_erased, row = job_id in erased, rows[job_id]
            assert (row["input"] == "{}") is is_erased, row
            assert bool(row["deleted_at"]) is is_erased, row
            assert (row["image_count"], row["refunded"], row["credits_each"]) == (2, 0, 75)
            assert (env.folder / "data" / "kept" / job_id).exists() is not is_erased
