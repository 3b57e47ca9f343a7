"""In a read-only container the bot can write only to its data folder and the folder for temporary files."""

from __future__ import annotations

from pathlib import Path

from playground.process import BotProcess
from tests.e2e.environment import open_environment
from tests.e2e.pictures import finished, made, opened

CODE = Path(__file__).parents[2]
# Python imports it at the start of every process that has its folder on PYTHONPATH: the bot and its charts.
RECORDER = """
import os, sys

RECORD = os.open(os.path.join(os.path.dirname(__file__), "written"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)

def record(event, arguments):
    is_opened = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if is_opened or event in {"os.mkdir", "os.rename", "os.link", "sqlite3.connect"}:
        if isinstance(arguments[0], (str, bytes, os.PathLike)):
            os.write(RECORD, os.path.abspath(os.fsencode(arguments[0])) + b"\\n")

sys.addaudithook(record)
"""


async def test_writes_only_data_and_temporary_files(tmp_path: Path) -> None:
    recorder, temporary = tmp_path / "recorder", tmp_path / "temporary"
    recorder.mkdir()
    temporary.mkdir()
    (recorder / "sitecustomize.py").write_text(RECORDER)
    async with open_environment(
        tmp_path,
        runcomfy={"seconds": 0},
        make_bot=BotProcess,
        PYTHONPATH=f"{recorder}:{CODE}",
        TMPDIR=str(temporary),
    ) as env:
        image = await finished(env, env.alice)
        await made(env, env.alice, await opened(env.alice, image, "Edit"), instruction="make it night")
        usage = await (await env.alice.command("usage")).response(timeout=5)
        await env.discord.until(lambda: usage.files, timeout=30)  # the first chart starts matplotlib
    written = {Path(line) for line in (recorder / "written").read_text().splitlines()}
    # The image has its bytecode already.
    written = {path for path in written if "__pycache__" not in path.parts}
    assert {tmp_path / "data" / "bot.db"} < written
    assert any(path.is_relative_to(temporary) for path in written)
    allowed = (tmp_path / "data", temporary)
    assert [path for path in written if not any(map(path.is_relative_to, allowed))] == []
