"""The probe of the files folder, also as root, whom permissions do not stop."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bot
from bot.errors import FilesFolderError
from bot.media import folder_probe
from bot.media.folder_probe import FolderProbe, probe_folder
from tests.clocks import FastLoop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CODE = Path(bot.__file__).parents[1]
NOBODY = 65_534


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def without_root(work: Callable[[], str | None]) -> str:
    """Run a probe in a process without root's rights and return its result as text."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.write(writing, str(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("left", [".probe", ".probe.part"])
def test_next_probe_removes_what_a_killed_one_left(tmp_path: Path, left: str) -> None:
    killed = f"""
import os, sys
from pathlib import Path
from bot.media.folder_probe import probe_folder

def die(event, arguments):
    if event == {"os.remove" if left == ".probe" else "os.rename"!r} and ".probe" in str(arguments[0]):
        os._exit(9)

sys.addaudithook(die)
probe_folder(Path({str(tmp_path)!r}))
"""
    assert subprocess.run([sys.executable, "-c", killed], cwd=CODE, check=False).returncode == 9
    assert names(tmp_path) == [left]
    assert probe_folder(tmp_path) is None
    assert names(tmp_path) == []


def test_probes_of_several_processes_at_once(tmp_path: Path) -> None:
    """They share a folder if they share a PostgreSQL database."""
    probes = f"""
from pathlib import Path
from bot.media.folder_probe import probe_folder

for _ in range(200):
    assert (problem := probe_folder(Path({str(tmp_path)!r}))) is None, problem
"""
    running = [subprocess.Popen([sys.executable, "-c", probes], cwd=CODE) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert names(tmp_path) == []


def test_folder_is_created_and_stays_empty(tmp_path: Path) -> None:
    assert probe_folder(tmp_path / "data" / "files") is None
    assert names(tmp_path) == ["data", "data/files"]


def test_probe_without_keep_leaves_nothing(tmp_path: Path) -> None:
    assert probe_folder(tmp_path / "data" / "files", keep=False) is None
    assert names(tmp_path) == []
    (tmp_path / "data").mkdir()
    assert probe_folder(tmp_path / "data" / "files", keep=False) is None
    assert names(tmp_path) == ["data"]


def file_in_its_place(folder: Path) -> None:
    folder.write_text("")


def file_above_it(folder: Path) -> None:
    folder.parent.rmdir()
    folder.parent.write_text("")


def dangling_link(folder: Path) -> None:
    folder.symlink_to(folder.parent / "gone" / "far")


def folder_in_the_probes_place(folder: Path) -> None:
    for name in (".probe", f".probe-{os.getpid()}"):
        (folder / name / "full").mkdir(parents=True)


@pytest.mark.parametrize(
    "break_folder", [file_in_its_place, file_above_it, dangling_link, folder_in_the_probes_place]
)
def test_unusable_folder_is_reported_with_the_user(
    tmp_path: Path, break_folder: Callable[[Path], None]
) -> None:
    folder = tmp_path / "data" / "files"
    folder.parent.mkdir()
    break_folder(folder)
    before = names(tmp_path)
    for keep in (True, False):
        problem = probe_folder(folder, keep=keep)
        assert problem
        assert problem.startswith(f"{folder} can't be written by user id {os.geteuid()} (")
    assert names(tmp_path) == before


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("is_made", [True, False])
def test_missing_permissions_are_reported(*, is_made: bool) -> None:
    with open_folder() as parent:
        folder = parent / "files"
        if is_made:
            folder.mkdir()
        (folder if is_made else parent).chmod(0o555)
        said = without_root(lambda: probe_folder(folder))
        user = NOBODY if os.geteuid() == 0 else os.geteuid()
        assert said == f"{folder} can't be written by user id {user} (Permission denied)"
        (folder if is_made else parent).chmod(0o777)
        assert without_root(lambda: probe_folder(folder)) == "None"
        parent.chmod(0o755)


def test_full_file_system() -> None:
    """A file system on which no file can be created."""
    problem = probe_folder(Path("/proc/self/files"))
    assert problem
    assert "/proc/self/files" in problem


def test_disk_that_is_nearly_full(tmp_path: Path) -> None:
    problem = probe_folder(tmp_path, free_min=2**63)
    assert problem
    assert problem.startswith(f"{tmp_path} has only ")
    assert problem.endswith(f" MB left for user id {os.geteuid()}")


def test_problem_is_logged_once_and_recovers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        probe = FolderProbe(folder, wait_seconds=1000)  # of the fast loop; a probe takes as long as ever
        for _ in range(3):
            with pytest.raises(FilesFolderError):
                await probe.ensure_writable()
            await asyncio.sleep(2)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert f"user id {os.geteuid()}" in caplog.text
        assert str(folder) in caplog.text
        folder.unlink()
        await probe.ensure_writable()
        assert caplog.records[-1].levelname == "INFO"
        folder.rmdir()
        folder.write_text("")
        await probe.ensure_writable()  # uses the cached result
        await asyncio.sleep(151)
        with pytest.raises(FilesFolderError):
            await probe.ensure_writable()

    caplog.set_level("INFO", "bot.media.folder_probe")
    monkeypatch.setattr(folder_probe, "_CACHE_SECONDS", 150.0)  # five real ones, for a busy machine
    folder = tmp_path / "files"
    folder.write_text("")
    with asyncio.Runner(loop_factory=FastLoop) as runner:
        runner.run(scenario())


async def test_hung_disk_does_not_block(tmp_path: Path) -> None:
    """Opening a pipe blocks until there is a reader."""
    probe = FolderProbe(tmp_path, wait_seconds=0.02, hung_seconds=3)
    await probe.ensure_writable()
    os.mkfifo(pipe := tmp_path / ".probe.part")
    try:
        await asyncio.gather(*(probe.refresh() for _ in range(100)))
        await probe.ensure_writable()
        while probe.problem is None:
            await probe.refresh()
        with pytest.raises(FilesFolderError, match="does not respond"):
            await probe.ensure_writable()
    finally:  # unblocks the thread, which the end of the test waits for
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert await probe.wait_until_writable(asyncio.get_running_loop().time() + 30)
    os.close(reading)
    await probe.ensure_writable()
