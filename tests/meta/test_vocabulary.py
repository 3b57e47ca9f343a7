"""Private names that were replaced by standard terms must not return, neither in code nor in comments."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# A dot in each word keeps this file from containing the word.
NAMES = """
Allow.ance Bi.ll Bi.lls CancelledOnTheWay.Error De.sk DiscordGuild.Log Fact.Store FETCH.ABLE Fetch.ing
File.Hosts Fit.ted Foll.owing Guild.Store Max.Jobs Me.ter MessageEd.its NoAnswer.Error Order.Store
OutOf.ReachError Overh.eard Pa.ce Pa.ceStore Pa.cing Pers.on Pul.se Remo.val Ta.lly Thro.ttle Tur.ns
Unbro.ken Unchecked.Error Up.keep Ve.rb Wor.ding _ab.andoned _ap.art _as_of_.today _b.e _Bla.nks _BRI.SK
_BUSY_.SECONDS _cancel_as_.wished _car.ry _car.rying _ever_.smaller _fa.te _fil.ling _gener.osity
_guar.ded _he.re _Ho.w _I.LL _is_.brief _Li.fe _LOO.KS _next_.look _none_if_.ill _Pa.ges _PATI.ENT
_pati.ently _put_.off _put_.together _quo.ting _rough.ly _send_.directly _setting_.words _settle_.memory
_show_.soon _spa.ced _sto.ry _stum.bles _TOGE.THER _type.able _until_.back _written_.out altoge.ther
ask_.costs ask_.prices bri.sk cancell.able check_.here check_.place clear_.away dur.ably find_.answer
gain_.time has_.forbidden held_.back in_.short in_.words ins.ist is_held_.up is_stra.ined is_ur.gent
is_word.less job_.of look_.again most_.seconds name_.from occ.upy overh.eard pain.ter pause_.seconds
problems_.of remov.able re.seeded row_.of stead.fast take_.down take_up_.late tell_.of to_.load
unmoved_.seconds up.keep usual_.seconds waits_for_.disk watch_.budget whis.per word.less
"""
# Renamed columns may be named where a database of an older version is built.
COLUMNS = "ask.ed_at cost_.at limit.ed_by look_.at pa.ces un.spent"
OLD_DATABASES = "tests/storage/"


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])({'|'.join(words.replace('.', '').split())})(?![\w-])")


def _files() -> list[str]:
    command = [
        "git",
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "bot",
        "cogs",
        "playground",
        "tests",
    ]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split()
    suffixes = {".py", ".sql", ".js", ".css", ".html"}
    names = [name for name in listed if Path(name).suffix in suffixes and (ROOT / name).is_file()]
    return [name for name in names if not name.startswith("bot/storage/migrations/")]


@pytest.mark.parametrize("name", _files())
def test_replaced_names_do_not_return(name: str) -> None:
    patterns = [_pattern(NAMES)] + ([] if name.startswith(OLD_DATABASES) else [_pattern(COLUMNS)])
    text = f"{name}\n{(ROOT / name).read_text('utf-8')}"
    assert [match.group() for pattern in patterns for match in pattern.finditer(text)] == []


def test_check_finds_words_in_code_and_comments() -> None:
    for line in ("self.{}(job)", "# the {} waits", "def test_x({}: int) -> None:"):
        assert _pattern(NAMES).search(line.format("pain" + "ter"))
