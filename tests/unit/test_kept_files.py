"""Pictures that went into jobs and originals are kept within limits of their own."""

from __future__ import annotations

import asyncio
import os
import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.errors import InputGoneError, InputUnavailableError, NotAPictureError
from bot.media import kept as kept_module
from bot.media.kept import KeptFiles
from bot.media.store import FileStore
from tests.image_files import picture

if TYPE_CHECKING:
    from pathlib import Path

JOB, OTHER, THIRD = "a" * 32, "b" * 32, "c" * 32
NOW = datetime(2026, 11, 30, tzinfo=UTC)
LIMIT = 2**20


@pytest.fixture
def kept(tmp_path: Path) -> KeptFiles:
    files = FileStore(tmp_path / "files", max_bytes=100, max_age=timedelta(days=1))
    return KeptFiles(files, tmp_path / "kept", max_bytes=10_000, max_age=timedelta(days=7))


def put(path: Path, data: bytes | int = 100, *, days: float = 0) -> Path:
    """Write a file, as of so many days before NOW."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else bytes(data))
    at = (NOW - timedelta(days=days)).timestamp()
    os.utime(path.parent, (at, at))
    return path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_delivered_originals_are_moved(kept: KeptFiles) -> None:
    files = kept.files.root / JOB
    for name in ("1.png", "2.jpg", "10.webp", "smaller-1.webp", ".3.part"):
        put(files / name, name.encode())
    before = kept.originals(JOB)
    assert [path.name for path in before] == ["1.png", "2.jpg", "10.webp"]
    assert {path.parent for path in before} == {files}
    await kept.keep_originals(JOB)
    after = kept.originals(JOB)
    assert [path.read_bytes() for path in after] == [b"1.png", b"2.jpg", b"10.webp"]
    assert {path.parent for path in after} == {kept.root / JOB}
    assert names(kept.root / JOB) == ["1.png", "10.webp", "2.jpg"]
    assert not files.exists()
    await kept.keep_originals(JOB)  # a second call changes nothing
    assert kept.originals(JOB) == after


async def test_originals_are_described_and_read_before_and_after_delivery(kept: KeptFiles) -> None:
    for name in ("1.png", "10.webp"):
        put(kept.files.root / JOB / name, name.encode())
    pending = kept.list_originals(JOB)
    assert [(each.number, each.size, each.kept_until) for each in pending] == [(1, 5, None), (10, 7, None)]
    assert kept.read_original(JOB, 10) == b"10.webp"
    await kept.keep_originals(JOB)
    os.utime(kept.root / JOB, (NOW.timestamp(), NOW.timestamp()))
    moved = kept.list_originals(JOB)
    until = NOW + timedelta(days=7)
    assert [(each.number, each.size, each.kept_until) for each in moved] == [(1, 5, until), (10, 7, until)]
    assert kept.read_original(JOB, 1) == b"1.png"
    for number in (2, 0):
        with pytest.raises(FileNotFoundError):
            kept.read_original(JOB, number)


async def test_moving_continues_after_a_kill(kept: KeptFiles) -> None:
    put(kept.root / JOB / "1.png", b"first")
    put(kept.files.root / JOB / "2.png", b"second")
    assert [path.read_bytes() for path in kept.originals(JOB)] == [b"first", b"second"]
    await kept.keep_originals(JOB)
    assert [path.read_bytes() for path in kept.originals(JOB)] == [b"first", b"second"]


async def test_originals_that_cannot_be_kept_are_dropped(
    kept: KeptFiles, caplog: pytest.LogCaptureFixture
) -> None:
    kept.root.write_bytes(b"")
    put(kept.files.root / JOB / "1.png")
    await kept.keep_originals(JOB)
    assert "its originals can't be kept: " in caplog.text
    assert not (kept.files.root / JOB).exists()
    assert kept.originals(JOB) == []


@pytest.mark.parametrize(
    "name",
    [
        *("", JOB, f"{JOB}/", f"{JOB}/../{OTHER}/1.png", f"../{JOB}/1.png", f"{JOB}/1.svg", f"{JOB}/01.png"),
        *(f"/{JOB}/1.png", f"{JOB}/.1.part", f"{JOB}/input-0.png", f"{JOB.upper()}/1.png", f"{JOB}/1.png\n"),
    ],
)
async def test_names_from_the_database_are_checked(kept: KeptFiles, name: str) -> None:
    put(kept.root / OTHER / "1.png", picture("PNG"))
    put(kept.root.parent / JOB / "1.png", picture("PNG"))
    with pytest.raises(ValueError, match="not the name of a kept file"):
        kept.path(name)
    with pytest.raises(InputGoneError):
        await kept.copy_input(name, THIRD, 1, LIMIT)


@pytest.mark.parametrize("job_id", ["..", "", ".", "x/y", JOB + "\n"])
async def test_ids_of_jobs_are_checked(kept: KeptFiles, job_id: str) -> None:
    put(kept.root / JOB / "1.png")
    for use in (kept.originals, lambda each: kept.input_path(each, 1)):
        with pytest.raises(ValueError, match="not the id of a job"):
            use(job_id)
    with pytest.raises(ValueError, match="not the id of a job"):
        await kept.remove(job_id)
    assert names(kept.root / JOB) == ["1.png"]


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_original_becomes_the_input_of_another_job(kept: KeptFiles, *, is_delivered: bool) -> None:
    put((kept.root if is_delivered else kept.files.root) / JOB / "2.jpg", picture("JPEG"))
    await kept.copy_input(f"{JOB}/2.jpg", OTHER, 3, LIMIT)
    with Image.open(kept.input_path(OTHER, 3)) as image:
        assert (image.format, image.size) == ("PNG", (48, 48))
    assert names(kept.root / OTHER) == ["input-3.png"]


async def test_originals_are_found_while_they_are_moved(kept: KeptFiles) -> None:
    for number in range(400):
        job_id = f"{number:032x}"
        put(kept.files.root / job_id / "1.png")
        moving = asyncio.create_task(kept.keep_originals(job_id))
        while not moving.done():
            assert [each.number for each in kept.list_originals(job_id)] == [1]
            await asyncio.sleep(0)


async def test_input_of_another_job_takes_no_space_twice(kept: KeptFiles) -> None:
    source = put(kept.input_path(JOB, 1), picture("PNG"))
    for _ in range(2):  # repeated after a kill
        await kept.copy_input(f"{JOB}/input-1.png", OTHER, 2, LIMIT)
    assert kept.input_path(OTHER, 2).samefile(source)
    await kept.remove(JOB)
    assert kept.input_path(OTHER, 2).read_bytes() == picture("PNG")


async def test_input_that_is_too_large_for_its_new_job_is_made_smaller(kept: KeptFiles) -> None:
    source = put(kept.input_path(JOB, 1), picture("PNG", side=200))
    await kept.copy_input(f"{JOB}/input-1.png", OTHER, 1, 20_000)
    assert kept.input_path(OTHER, 1).stat().st_size <= 20_000 < source.stat().st_size


async def test_file_that_is_no_longer_kept(kept: KeptFiles) -> None:
    with pytest.raises(InputGoneError):
        await kept.copy_input(f"{JOB}/1.png", OTHER, 1, LIMIT)


async def test_file_that_cannot_be_used(kept: KeptFiles) -> None:
    put(kept.root / JOB / "1.png", b"no picture")
    with pytest.raises(NotAPictureError):
        await kept.copy_input(f"{JOB}/1.png", OTHER, 1, LIMIT)
    put(kept.root / JOB / "1.png", picture("PNG"))
    put(kept.root / OTHER, b"not a folder")
    with pytest.raises(InputUnavailableError, match="cannot be copied"):
        await kept.copy_input(f"{JOB}/1.png", OTHER, 1, LIMIT)


async def test_old_files_are_purged(kept: KeptFiles) -> None:
    put(kept.root / JOB / "1.png", days=6.9)
    put(kept.root / OTHER / "1.png", days=7.1)
    put(kept.root / THIRD / "input-1.png", days=70)
    undelivered = put(kept.files.root / OTHER / "2.png", 10**6, days=700)
    await kept.purge({THIRD}, now=NOW)
    assert names(kept.root) == [JOB, THIRD]
    assert undelivered.exists()


async def test_oldest_files_beyond_the_limit_are_purged(kept: KeptFiles) -> None:
    put(kept.root / JOB / "1.png", 6_000, days=3)
    put(kept.root / OTHER / "1.png", 3_000, days=2)
    put(kept.root / THIRD / "1.png", 6_000, days=1)
    put(kept.files.root / THIRD / "1.png", 10**6)  # doesn't count
    await kept.purge(set(), now=NOW)
    assert names(kept.root) == [OTHER, THIRD]


async def test_live_jobs_count_towards_the_limit_and_stay(kept: KeptFiles) -> None:
    put(kept.input_path(JOB, 1), 9_000, days=30)
    put(kept.root / OTHER / "1.png", 2_000)
    await kept.purge({JOB}, now=NOW)
    assert names(kept.root) == [JOB]


async def test_full_disk_takes_kept_files_first(kept: KeptFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    put(kept.root / JOB / "1.png", 500, days=2)
    put(kept.root / OTHER / "1.png", 500, days=1)
    free = shutil.disk_usage(kept.root).free
    monkeypatch.setattr(kept_module, "_FREE_BYTES_MIN", free // 2)
    await kept.purge(set(), now=NOW)
    assert names(kept.root) == [JOB, OTHER]
    monkeypatch.setattr(kept_module, "_FREE_BYTES_MIN", free * 2)
    await kept.purge(set(), now=NOW)
    assert names(kept.root) == []


async def test_strange_files_stay(kept: KeptFiles) -> None:
    await kept.purge(set(), now=NOW)  # without a folder
    put(kept.root / "a stranger's file", days=1000)
    put(kept.root / "folder" / "file", days=1000)
    (kept.root / JOB).write_bytes(b"a file")
    await kept.purge(set(), now=NOW)
    assert len(names(kept.root)) == 3


async def test_unreadable_folder_is_skipped_with_one_warning(
    kept: KeptFiles, caplog: pytest.LogCaptureFixture
) -> None:
    put(kept.root / JOB / "1.png", days=1000)
    (kept.root / OTHER).mkdir()
    (kept.root / OTHER / "1.png").symlink_to("1.png")  # even root can't follow it
    for _ in range(3):
        await kept.purge(set(), now=NOW)
    assert names(kept.root) == [OTHER]
    [warning] = [record.getMessage() for record in caplog.records]
    assert f"the files of job {OTHER} can't be listed" in warning
