"""A setting is added in three places: its row, its field and its texts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from playground.process import BotProcess
from tests.e2e.cli import CODE
from tests.e2e.environment import open_environment
from tests.e2e.settings_panel import choose_in_panel, open_panel, stored_settings

if TYPE_CHECKING:
    from pathlib import Path

ROW = '    SettingSpec("is_loud", "results", _switch(LazyText("value-loud"), LazyText("value-quiet"))),\n'
ROW_BEFORE = '    SettingSpec("forbidden_words", "words", _WORDS),\n'
FIELD = "    is_loud: StrictBool = False\n"
FIELD_BEFORE = "    may_search_web: StrictBool = True\n"
TEXTS = """
setting-is_loud = Volume: { $value }
offer-is_loud = Volume: { $value }
value-loud = loud
value-quiet = quiet
"""


def insert_after(file: Path, line: str, text: str) -> None:
    source = file.read_text("utf-8")
    assert source.count(line) == 1
    file.write_text(source.replace(line, line + text), "utf-8")


def copy_with_new_boolean(folder: Path) -> Path:
    for package in ("bot", "cogs"):
        shutil.copytree(CODE / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    insert_after(folder / "cogs/settings/specs.py", ROW_BEFORE, ROW)
    insert_after(folder / "bot/domain/guild_settings.py", FIELD_BEFORE, FIELD)
    for texts in folder.glob("bot/locales/*/settings.ftl"):
        texts.write_text(texts.read_text("utf-8") + TEXTS, "utf-8")
    return folder


async def test_new_boolean_needs_a_row_a_field_and_texts_only(tmp_path: Path) -> None:
    code = copy_with_new_boolean(tmp_path / "code")
    async with open_environment(tmp_path, is_started=False) as env:
        env.settings["PYTHONPATH"] = str(code)
        env.bot = BotProcess(tmp_path, env.settings, env.bot._log)
        try:
            await env.start()
            log = env.discord.guild.add_channel("log")
            panel = await open_panel(env)
            await choose_in_panel(env, panel, "section", "server")
            await choose_in_panel(env, panel, "log_channel", log)
            await choose_in_panel(env, panel, "section", "results")
            assert "Volume: quiet" in panel.text
            labels = [each["label"] for each in panel.select("settings:is_loud:v1")["options"]]
            assert labels == ["Volume: loud", "Volume: quiet"]
            await choose_in_panel(env, panel, "is_loud", "True")
            assert "Volume: loud" in panel.text
            assert stored_settings(env)["is_loud"] is True
            await env.discord.until(lambda: any("Volume: quiet → loud" in each.text for each in log.messages))
            await env.restart()
            assert "Volume: loud" in (await open_panel(env, section="results")).text
        finally:
            await env.bot.stop()
