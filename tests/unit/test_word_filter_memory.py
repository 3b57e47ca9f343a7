"""Memory used by forbidden patterns, measured in a separate process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import bot

CODE = Path(bot.__file__).parents[1]
START = r"""
import asyncio, gc
from bot.policy.word_filter import contains_forbidden, parse_words

def megabytes():
    gc.collect()
    pages = int(open("/proc/self/statm").read().split()[1])
    return pages * 4096 / 1e6

def check(words, text="a fox"):
    return asyncio.run(contains_forbidden(words, [text]))

def large(number):
    return rf"/((?:[a-z\p{{L}}]|ß|{chr(0x4E00 + number)}){{150}}){{9}}/"

def middling(number):
    return rf"/[\p{{L}}--[a-z{chr(0x4E00 + number)}]]{{500}}/"

check(parse_words("/warm/"))
before = megabytes()
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="reads memory as Linux tells it"
)


def grown(code: str) -> list[float]:
    """Run the program and return the numbers that it prints: megabytes since its start."""
    done = subprocess.run(
        [sys.executable, "-c", START + code],
        cwd=CODE,
        capture_output=True,
        check=True,
        text=True,
        timeout=100,
    )
    return [float(line) for line in done.stdout.split()]


def test_saved_large_patterns_are_not_cached() -> None:
    (more,) = grown("for n in range(10): parse_words(large(n))\nprint(megabytes() - before)")
    assert more < 50  # each compiles to about 60 MB


def test_cache_of_many_servers_patterns_is_bounded() -> None:
    (more,) = grown("for n in range(40): check([middling(n)])\nprint(megabytes() - before)")
    assert more < 100


def test_peak_memory_of_many_servers_at_once() -> None:
    (most,) = grown(
        "async def orders():\n"
        "    await asyncio.gather(*(contains_forbidden([large(n)], ['a fox']) for n in range(8)))\n"
        "asyncio.run(orders())\n"
        # Not getrusage: its maximum begins with that of the process that started this one.
        "status = open('/proc/self/status').read()\n"
        "print(int(status.partition('VmHWM:')[2].split()[0]) * 1.024e-3 - before)"
    )
    assert most < 400


def test_removed_patterns_are_freed() -> None:
    kept, left = grown(
        "words = parse_words(middling(1))\n"
        "check(words)\n"
        "print(megabytes() - before)\n"
        "parse_words('')\n"
        "print(megabytes() - before)"
    )
    assert kept > 10
    assert left < kept / 2
