"""The texts of `bot/locales`, parsed."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from fluent.syntax import ast as ftl
from fluent.syntax import parse
from fluent.syntax.visitor import Visitor

from bot.i18n import DEFAULT_LOCALE

ROOT = Path(__file__).parents[1]
LOCALES = sorted(folder.name for folder in (ROOT / "bot" / "locales").iterdir() if folder.is_dir())
NUMBERS = (0, 1, 2, 5, 11, 21, 22, 25, 1_000_000, Decimal("0.5"), Decimal("1.50"), Decimal("21.25"))
PLURALS = {"zero", "one", "two", "few", "many", "other"}

Values: TypeAlias = "dict[str, set[str | int | Decimal]]"


class Variables(Visitor):
    """Collect a text's variables, each with the values that select all variants."""

    def __init__(self) -> None:
        self.found: Values = {}
        self.words: list[str] = []
        self.plurals: list[ftl.SelectExpression] = []

    def visit_TextElement(self, node: ftl.TextElement) -> None:  # noqa: N802 (the visitor's own naming)
        self.words += re.findall(r"[^\W\d_]+", node.value)

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802 (the visitor's own naming)
        self.found.setdefault(node.id.name, set())

    def visit_FunctionReference(self, node: ftl.FunctionReference) -> None:  # noqa: N802 (as above)
        for each in node.arguments.positional:  # a function such as NUMBER takes no strings
            assert isinstance(each, ftl.VariableReference)
            self.found.setdefault(each.id.name, set()).update(NUMBERS)

    def visit_SelectExpression(self, node: ftl.SelectExpression) -> None:  # noqa: N802 (as above)
        assert isinstance(node.selector, ftl.VariableReference)
        samples = self.found.setdefault(node.selector.id.name, set())
        words = names(node)
        samples |= {int(each.key.value) for each in node.variants if isinstance(each.key, ftl.NumberLiteral)}
        samples |= set(NUMBERS) if words <= PLURALS else words
        if words <= PLURALS and words != {"other"}:
            self.plurals.append(node)
        self.generic_visit(node)


def names(node: ftl.SelectExpression) -> set[str]:
    return {each.key.name for each in node.variants if isinstance(each.key, ftl.Identifier)}


def parts(node: ftl.BaseNode) -> Variables:
    visitor = Variables()
    visitor.visit(node)
    return visitor


def messages(locale: str) -> dict[str, ftl.Message]:
    found: dict[str, ftl.Message] = {}
    for file in sorted((ROOT / "bot" / "locales" / locale).glob("*.ftl")):
        for entry in parse(file.read_text("utf-8")).body:
            assert not isinstance(entry, ftl.Junk), entry.content
            if isinstance(entry, ftl.Message):
                assert entry.id.name not in found
                found[entry.id.name] = entry
    return found


def variables(message: ftl.Message) -> Values:
    return parts(message).found


CATALOGUES = {locale: messages(locale) for locale in LOCALES}
ENGLISH = CATALOGUES[DEFAULT_LOCALE]
