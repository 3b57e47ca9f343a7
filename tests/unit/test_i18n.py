"""The texts: all are there in every language, can be filled, and are used."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest
from fluent.syntax import ast as ftl
from fluent.syntax import parse
from fluent.syntax.visitor import Visitor

from bot import errors
from bot.i18n import DEFAULT_LOCALE, translate
from bot.quotas import Period
from cogs._buttons import Verb

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
LOCALES = sorted(folder.name for folder in (ROOT / "bot" / "locales").iterdir() if folder.is_dir())
SENTENCES = 2000  # what Discord takes in a message
NUMBERS = (0, 1, 2, 5, 11, 21, 1_000_000)
PLURALS = {"zero", "one", "two", "few", "many", "other"}
TEXT = "<t:1795000000:R> & <@900000000000000002> [x](y) * 1"

Values: TypeAlias = "dict[str, set[str | int]]"


class Variables(Visitor):
    """What a text can be filled with: for each variable the values that lead to all of its variants."""

    def __init__(self) -> None:
        self.found: Values = {}

    def visit_VariableReference(self, node: ftl.VariableReference) -> None:  # noqa: N802 (the visitor's own naming)
        self.found.setdefault(node.id.name, set())

    def visit_SelectExpression(self, node: ftl.SelectExpression) -> None:  # noqa: N802 (as above)
        assert isinstance(node.selector, ftl.VariableReference)
        samples = self.found.setdefault(node.selector.id.name, set())
        keys = [variant.key for variant in node.variants]
        words = {key.name for key in keys if isinstance(key, ftl.Identifier)}
        samples |= {int(key.value) for key in keys if isinstance(key, ftl.NumberLiteral)}
        samples |= set(NUMBERS) if words <= PLURALS else words
        self.generic_visit(node)


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
    visitor = Variables()
    visitor.visit(message)
    return visitor.found


CATALOGUES = {locale: messages(locale) for locale in LOCALES}
ENGLISH = CATALOGUES[DEFAULT_LOCALE]
TEXTS = [(locale, key) for locale, texts in CATALOGUES.items() for key in texts]


def fillings(message: ftl.Message) -> Iterator[dict[str, str | int]]:
    """Every combination of values that can make a difference; others once as number and once as text."""
    for other in (1_000_000, TEXT):
        found = {name: sorted(samples, key=str) or [other] for name, samples in variables(message).items()}
        for values in itertools.product(*found.values()):
            yield dict(zip(found, values, strict=True))


@pytest.mark.parametrize(("locale", "key"), TEXTS)
def test_every_text_can_be_filled_in_all_its_variants(locale: str, key: str) -> None:
    for values in fillings(CATALOGUES[locale][key]):
        text = translate(key, locale, **values)
        assert text.strip() == text != ""
        assert len(text) <= SENTENCES
        assert not re.search(r"[\u2066-\u2069{}]|1[,.\s\u00a0\u202f]000", text)
        used = [value for value in values.values() if value == TEXT]
        assert not used or TEXT in text


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_the_same_texts_with_the_same_variables(locale: str) -> None:
    assert list(CATALOGUES[locale]) == list(ENGLISH)
    for key, message in CATALOGUES[locale].items():
        assert set(variables(message)) == set(variables(ENGLISH[key])), key


def test_a_language_comes_as_near_as_there_is_one() -> None:
    english = translate("button-cancel", "en-US")
    assert english == "Cancel"
    for locale in ("en-GB", "en", "xx", "xx-YY", ""):
        assert translate("button-cancel", locale) == english


def test_what_cannot_be_told_is_an_error() -> None:
    with pytest.raises(KeyError):
        translate("no-such-text", "en-US")
    with pytest.raises(ValueError, match="seed"):
        translate("seed", "en-US")


def _subclasses(parent: type[errors.BotError]) -> Iterator[type[errors.BotError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


FAILURES = [error for error in _subclasses(errors.BotError) if hasattr(error, "key")]


@pytest.mark.parametrize("failure", FAILURES)
def test_every_failure_has_a_text_for_the_values_that_it_promises(failure: type[errors.BotError]) -> None:
    told = re.search(r"Values: ([^.]+)", re.sub(r"\([^)]*\)", "", failure.__doc__ or ""))
    promised = set(re.split(r",\s*", " ".join(told[1].split()))) if told else set()
    assert set(variables(ENGLISH[failure.key])) <= {name.strip() for name in promised}


def test_every_failure_with_a_name_has_a_key() -> None:
    families = {errors.UserError, errors.ServiceError}
    assert set(_subclasses(errors.BotError)) - set(FAILURES) == families


def test_what_the_owner_can_mend_says_how() -> None:
    remedies = [failure.remedy for failure in errors.OperatorError.__subclasses__()]
    assert all(len(remedy) > 20 for remedy in remedies)
    assert len(set(remedies)) == len(remedies)


# What the changing part of a key can be, by what stands before it.
FAMILIES: dict[str, Iterable[str]] = {
    "button-": Verb,
    "usage-": Period,
    "numbered-": (Verb.CANCEL, Verb.FETCH),
    "jobs-": ("waiting", "painting", "fetchable"),
}


def calls() -> Iterator[tuple[set[str], set[str] | None]]:
    """The keys that each call of `translate` can ask for, and the values it gives (None where unknown)."""
    for file in [*ROOT.glob("bot/**/*.py"), *ROOT.glob("cogs/**/*.py")]:
        for scope in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in ast.walk(scope):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "translate":
                        names = {keyword.arg for keyword in call.keywords}
                        given = None if None in names else {name for name in names if name}
                        yield set(keys(call.args[0], scope)), given


def keys(node: ast.expr, scope: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from keys(node.body, scope)
        yield from keys(node.orelse, scope)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from keys(value, scope)
    elif isinstance(node, ast.JoinedStr):
        assert isinstance(node.values[0], ast.Constant)
        prefix = str(node.values[0].value)
        yield from (f"{prefix}{rest}" for rest in FAMILIES[prefix])
    elif isinstance(node, ast.Name):
        for assigned in ast.walk(scope):
            if isinstance(assigned, ast.Assign) and ast.unparse(assigned.targets[0]) == node.id:
                yield from keys(assigned.value, scope)
    else:
        # An error's own key, which every failure has.
        assert isinstance(node, ast.Attribute)


def test_the_code_asks_only_for_texts_that_exist_and_fills_them() -> None:
    asked = list(calls())
    assert len(asked) > 10
    for wanted, given in asked:
        assert wanted <= set(ENGLISH)
        for key in wanted if given is not None else ():
            assert set(variables(ENGLISH[key])) <= (given or set()), key


def test_no_text_is_without_use() -> None:
    used = {key for wanted, _ in calls() for key in wanted} | {failure.key for failure in FAILURES}
    assert set(ENGLISH) - used == set()
