"""Everything that is stored about a person, as one zip file: data.json, pictures and images."""

import asyncio
import io
import json
import zipfile
from collections.abc import Sequence
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
    requests, files = list[dict[str, Any]](), dict[str, Path]()
    for job in await store.jobs(user_id):
        is_own = job.preset is not None or await prompt_author(bot, job) == user_id
        found = await asyncio.to_thread(_find_files, bot.kept_files, job, has_pictures=is_own)
        files |= found
        requests.append(_request(job, [*found], is_own=is_own))
    document = {
        "about": _ABOUT,
        "exported_at": _time(bot.clock.host.now()),
        "user_id": str(user_id),
        "requests": requests,
        "limits": [_limit(each) for each in await store.limits(user_id)],
        "extra_credits": [_extra(each) for each in await store.extra_credits(user_id)],
        "blocked_on_servers": [str(each) for each in await store.blocked_in(user_id)],
    }
    data, left_out = await asyncio.to_thread(_pack, document, files, most_bytes)
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


def _find_files(kept: KeptFiles, job: Job, *, has_pictures: bool) -> _Files:
    """Return a job's files by their names in the archive; images that wait to be collected are not in it."""
    found = dict[str, Path]()
    if job.status.is_final and not job.is_fetchable:  # those are refunded later if no one collects them
        found |= {f"images/{job.job_id}-{path.name}": path for path in kept.originals(job.job_id)}
    if has_pictures:
        found |= {f"pictures/{job.job_id}-{path.name}": path for path in kept.inputs(job.job_id)}
    return found


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")


def _pack(document: dict[str, Any], files: _Files, most_bytes: int) -> tuple[bytes, int]:
    """Return the archive, and how many requests and files are not in it; reads the disk."""
    requests, skipped = document["requests"], 0
    while True:
        left_out: dict[str, Any] = {"requests": skipped, "files": [*files]}
        document = document | {"requests": requests, "left_out": left_out}
        room = most_bytes - len(_zip(document, {}))
        if room >= 0 or not requests:
            break
        half = len(requests) // 2 + 1
        requests, skipped = requests[half:], skipped + half
    packed = dict[str, bytes]()
    for name, path in reversed(files.items()):
        with suppress(FileNotFoundError):  # deleted meanwhile
            needed = path.stat().st_size + _ENTRY_BYTES
            if needed <= room:
                packed[name], room = path.read_bytes(), room - needed
    left_out["files"] = [name for name in files if name not in packed]
    return _zip(document, packed), skipped + len(left_out["files"])


def _zip(document: dict[str, Any], files: dict[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        text = json.dumps(document, ensure_ascii=False, indent=2)
        opened.writestr(DATA_FILE, text, zipfile.ZIP_DEFLATED)
        for name, data in files.items():
            opened.writestr(name, data)  # images are compressed already
    return archive.getvalue()
