"""Everything that is stored about a person, as one zip file: data.json, pictures and images."""

import asyncio
import io
import json
import zipfile
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from bot.discord.client import ImagineBot
from bot.discord.prompt_access import prompt_author
from bot.discord.views.originals import megabytes
from bot.domain.job import Job
from bot.domain.requester import Requester
from bot.i18n import translate
from bot.media.kept import KeptFiles
from bot.storage.privacy import ExtraCredits, MemberLimit

DATA_FILE = "data.json"
_ENTRY_BYTES = 400  # what a file adds to an archive besides its content, at most
_ABOUT = (
    "What this bot stores about this Discord account, on all servers. Times are in UTC. Files are in this "
    "archive by their names, unless left_out lists them."
)
_Files: TypeAlias = dict[str, Path]
"""Files by their names in the archive."""


@dataclass(frozen=True)
class Export:
    """An archive, and the message that it comes with."""

    data: bytes
    text: str


async def export(bot: ImagineBot, requester: Requester, most_bytes: int) -> Export:
    """Collect what is stored about a person, and nothing that others wrote.

    What would exceed `most_bytes` is left out, the oldest first: files before requests.
    """
    store, user_id = bot.erasure_service.store, requester.user_id
    jobs = await store.jobs(user_id)
    own = {each.job_id for each in jobs if each.preset or await prompt_author(bot, each) == user_id}
    found = await asyncio.to_thread(_find_files, bot.kept_files, jobs, own)
    document = {
        "about": _ABOUT,
        "exported_at": _time(bot.clock.host.now()),
        "user_id": str(user_id),
        "requests": [
            _request(each, [*found.get(each.job_id, ())], is_own=each.job_id in own) for each in jobs
        ],
        "limits": [_limit(each) for each in await store.limits(user_id)],
        "extra_credits": [_extra(each) for each in await store.extra_credits(user_id)],
        "blocked_on_servers": [str(each) for each in await store.blocked_in(user_id)],
    }
    data, left_out = await asyncio.to_thread(_pack, document, found, most_bytes)
    text = translate("privacy-exported", requester.locale)
    if left_out:
        size = megabytes(most_bytes)
        text += "\n" + translate("privacy-left-out", requester.locale, count=left_out, most=size)
    return Export(data, text)


def _limit(limit: MemberLimit) -> dict[str, Any]:
    values = {"server_id": str(limit.guild_id), "credits": limit.credits, "per": limit.per}
    return values | {"set_at": _time(limit.set_at)}


def _extra(extra: ExtraCredits) -> dict[str, Any]:
    values = {"server_id": str(extra.guild_id), "credits": float(extra.credits)}
    return values | {"usage_set_back": extra.start_over, "given_at": _time(extra.given_at)}


def _request(job: Job, files: Sequence[str], *, is_own: bool) -> dict[str, Any]:
    options = {name: value for name, value in job.input.items() if name != job.text_option}
    return {
        "id": job.job_id,
        "based_on": job.parent_id,
        "server_id": str(job.guild_id),
        "channel_id": str(job.channel_id),
        "message_id": str(job.message_id) if job.message_id else None,
        "interaction_id": str(job.interaction_id),
        "image_service_request_id": job.request_id,
        "language": job.locale,
        "model": job.model_id,
        "prompt": job.prompt if is_own and not job.text_removed_at else None,
        "options": options if is_own and not job.text_removed_at else None,
        "fixed_instruction": job.preset,
        "written_by_someone_else": not is_own,
        "status": job.status,
        "error": job.error,
        "images_requested": job.image_count,
        "images_delivered": job.delivered,
        "images_refunded": job.refunded,
        "images_wait_to_be_collected": job.is_fetchable,
        "credits": float(job.credits),
        "cost_usd": None if job.cost is None else float(job.cost),
        "limits_applied": job.applied_limits,
        "requested_at": _time(job.created_at),
        "generation_started_at": _time(job.started_at),
        "ended_at": _time(job.ended_at),
        "text_removed_at": _time(job.text_removed_at),
        "deleted_at": _time(job.deleted_at),
        "files": files,
    }


def _find_files(kept: KeptFiles, jobs: Iterable[Job], own: Collection[str]) -> dict[str, _Files]:
    """Return the files of each job that has any; pictures only of `own` jobs. Reads the disk.

    Images that wait to be collected are not among them: they are refunded later if no one collects them.
    """
    found, stored = dict[str, _Files](), kept.stored_jobs()
    for job in jobs:
        if job.job_id in stored:
            has_images = job.status.is_final and not job.is_fetchable
            images = kept.originals(job.job_id) if has_images else []
            pictures = kept.inputs(job.job_id) if job.job_id in own else []
            found[job.job_id] = {f"images/{job.job_id}-{path.name}": path for path in images}
            found[job.job_id] |= {f"pictures/{job.job_id}-{path.name}": path for path in pictures}
    return found


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _pack(document: dict[str, Any], found: dict[str, _Files], most_bytes: int) -> tuple[bytes, int]:
    """Return the archive, and how many requests and files are not in it; reads the disk."""
    files = {name: path for each in found.values() for name, path in each.items()}
    requests, skipped = document["requests"], 0
    while True:
        left_out: dict[str, Any] = {"requests": skipped, "files": [*files]}
        document = document | {"requests": requests, "left_out": left_out}
        room = most_bytes - len(_zipped(document))
        if room >= 0 or not requests:
            break
        half = len(requests) // 2 + 1
        requests, skipped = requests[half:], skipped + half
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        for name, path in reversed(files.items()):
            with suppress(FileNotFoundError):  # deleted meanwhile
                needed = path.stat().st_size + _ENTRY_BYTES
                if needed <= room:
                    opened.writestr(name, path.read_bytes())  # images are compressed already
                    room -= needed
        left_out["files"] = sorted(files.keys() - set(opened.namelist()))
        _write(opened, document)
    return archive.getvalue(), skipped + len(left_out["files"])


def _zipped(document: dict[str, Any]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        _write(opened, document)
    return archive.getvalue()


def _write(archive: zipfile.ZipFile, document: dict[str, Any]) -> None:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    archive.writestr(DATA_FILE, text, zipfile.ZIP_DEFLATED)
