"""Texts for people use plain words, and one term for each concept."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fluent.syntax import ast, parse
from fluent.syntax.visitor import Visitor

ROOT = Path(__file__).parents[2]
LOCALES = ROOT / "bot" / "locales"
FILES = [
    *LOCALES.glob("en-US/*.ftl"),
    *(ROOT / "bot" / "models" / "definitions").rglob("*.json"),
    ROOT / "README.md",
    ROOT / ".env.example",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "docs").rglob("*.yml"),
    *(ROOT / "docs").rglob("*.json"),
]
BANNED = re.compile(
    r"(?i)(?<![^\W_])(whoever|anew|mend(?:s|ed)?|somebody|everybody|nobody|given[ _-]back|at the moment"
    r"|for good|fetch(?:e[sd]|ing|able)?)(?![^\W_])"
)
# Of what members and managers read; the owner's direct messages speak of jobs and RunComfy.
OWNERS = {"cost-unexpected", "model-hidden", "model-failing", "price-not-believed", "budget-alarm"}
TERMS = {
    "en-US": re.compile(
        r"(?i)\b(RunComfy|jobs?|orders?|ordered|ordering|paint\w*|quota|pool|budget|operator|cancell\w+|may"
        r"|told|holds?|safety_tolerance|you were not|nothing was (?:charged|ordered|changed))\b"
    ),
    "ru": re.compile(
        r"(?i)\b(RunComfy|заказ\w*|задани\w+|рису\w+|нарис\w+|сгенерир\w+|генерац\w+|квот\w+|пул\w*|бюджет\w*"
        r"|списание|ничего не (?:списано|заказано|изменено)|использован\w+|бесплатн\w*|ты|тебе|тво[йяёи])\b|!"
    ),
}
COMMANDS = re.compile(r"/(?:jobs|quota)(?: (?:set|clear|grant|show|report|pool|reset|export))?")


class Texts(Visitor):
    """Collect the words of a message, without its variables."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def visit_TextElement(self, node: ast.TextElement) -> None:  # noqa: N802 (the visitor's own naming)
        self.words.append(node.value)


def texts(locale: str) -> dict[str, str]:
    found = {}
    for file in sorted((LOCALES / locale).glob("*.ftl")):
        for message in parse(file.read_text("utf-8")).body:
            if isinstance(message, ast.Message):
                visitor = Texts()
                visitor.visit(message)
                found[message.id.name] = "\n".join(visitor.words)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_bookish_words_do_not_return(file: Path) -> None:
    assert BANNED.findall(file.read_text("utf-8")) == []


@pytest.mark.parametrize("locale", TERMS)
def test_each_concept_has_one_term(locale: str) -> None:
    shown = {key: COMMANDS.sub("", text) for key, text in texts(locale).items() if key not in OWNERS}
    found = {key: TERMS[locale].findall(text) for key, text in shown.items()}
    assert {key: words for key, words in found.items() if words} == {}


def test_checks_find_what_they_forbid() -> None:
    for line in ("Whoever has it", "button-fetch = Get", "quota-set-everybody", "is given back.", "Fetched"):
        assert BANNED.search(line)
    for line in ("recommended", "refetch", "amend", "good for nothing"):
        assert not BANNED.search(line)
    assert TERMS["en-US"].search("Your order was cancelled")
    assert TERMS["ru"].search("Заказ принят")
