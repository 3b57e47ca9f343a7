"""The code uses every text, with its values, and contains none itself."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from typing import TYPE_CHECKING, get_args

import pytest
from discord import app_commands
from discord.ext import commands

import bot
from bot import errors
from bot.discord.requester import _POST_PERMISSIONS
from bot.discord.views.job_buttons import JobAction
from bot.domain.quota import Period
from bot.models.options import OptionType
from bot.models.schema import MESSAGE_KEYWORDS
from cogs import EXTENSIONS
from cogs.edit.instructions import INSTRUCTIONS
from cogs.localization.translator import message_key
from cogs.settings.controls import (
    DefaultOptionSelect,
    EntitySelect,
    ModelRolesSelect,
    ModelSelect,
    TextModal,
    ValueSelect,
)
from cogs.settings.specs import _LOG_RIGHTS, SECTIONS, SPECS
from tests.locales import CATALOGUES, ENGLISH, ROOT, variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

# Only messages of older versions have them.
_OLD_BUTTONS = {JobAction.CONFIRM, JobAction.BLOCK, JobAction.KEEP}


def _subclasses(parent: type[errors.BotError]) -> Iterator[type[errors.BotError]]:
    for child in parent.__subclasses__():
        yield child
        yield from _subclasses(child)


for module in pkgutil.walk_packages(bot.__path__, "bot."):
    importlib.import_module(module.name)  # modules can define errors
FAILURES = [error for error in _subclasses(errors.BotError) if hasattr(error, "key")]
assert errors.JobUnknownError in FAILURES


@pytest.mark.parametrize("failure", FAILURES)
def test_every_error_has_a_text_for_its_documented_values(failure: type[errors.BotError]) -> None:
    documented = re.search(r"Values: ([^.]+)", re.sub(r"\([^)]*\)", "", failure.__doc__ or ""))
    promised = set(re.split(r",\s*", " ".join(documented[1].split()))) if documented else set()
    assert set(variables(ENGLISH[failure.key])) <= {name.strip() for name in promised}


def test_every_error_class_has_a_key() -> None:
    families = {errors.UserError, errors.ServiceError, errors.PolicyError}
    assert set(_subclasses(errors.BotError)) - set(FAILURES) == families


def test_every_operator_error_has_a_remedy() -> None:
    remedies = [failure.remedy for failure in errors.OperatorError.__subclasses__()]
    assert all(len(remedy) > 20 for remedy in remedies)
    assert len(set(remedies)) == len(remedies)


def _with(*controls: type) -> list[str]:
    return [name for name, spec in SPECS.items() if isinstance(spec.control, controls)]


# The possible endings of a composed key, by its prefix.
TARGETS = ("everyone", "role", "member", "pool")
FAMILIES: dict[str, Iterable[str]] = {
    "button-": [action.name.lower().replace("_", "-") for action in JobAction if action not in _OLD_BUTTONS],
    "preset-": INSTRUCTIONS,
    "info-": ("options", "model", "cost", "time", "pictures", "originals", "parent"),
    "usage-": Period,
    "numbered-": ("cancel", "collect"),
    "jobs-": ("waiting", "generating", "uncollected"),
    "problem-": MESSAGE_KEYWORDS,
    "problem-not-": get_args(OptionType),
    "quota-set-": TARGETS,
    "limited-by-": ("member", "role", "everyone", "owner"),
    "quota-cleared-": TARGETS,
    "permission-": (*_POST_PERMISSIONS, *_LOG_RIGHTS),
    "section-": SECTIONS,
    "setting-": SPECS,
    "offer-": (*_with(ValueSelect), "channel_safety", "default_options"),
    "placeholder-": (
        *_with(EntitySelect, ModelSelect, ModelRolesSelect),
        *("section", "pick-channel", "pick-model", "pick-option"),
    ),
    **dict.fromkeys(("button-edit-", "modal-", "label-", "hint-"), _with(TextModal, DefaultOptionSelect)),
}
SOURCES = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("cogs/**/*.py")]


def calls() -> Iterator[tuple[set[str], set[str] | None]]:
    """Yield the possible keys of each `translate` or `LazyText` call, and its values (None: unknown)."""
    for file in SOURCES:
        tree = ast.parse(file.read_text("utf-8"))
        imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom)]
        ours = {name.name for each in imports if each.module == "bot.i18n" for name in each.names}
        if file.name == "translator.py":
            continue  # its keys are the commands', see below
        for scope in ast.walk(tree):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign):
                for call in ast.walk(scope):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) in ours & {
                        "translate",
                        "LazyText",
                    }:
                        yield set(keys(call.args[0], scope)), given(call)


def given(call: ast.Call) -> set[str] | None:
    if ast.unparse(call.func) == "LazyText":
        values = call.args[1] if len(call.args) > 1 else ast.Dict([], [])
        return {ast.literal_eval(key) for key in values.keys if key} if isinstance(values, ast.Dict) else None
    names = {keyword.arg for keyword in call.keywords}
    return None if None in names else {name for name in names if name}


def commands_keys() -> Iterator[str]:
    """Yield the keys of all texts of our commands that Discord lists."""
    modules = [importlib.import_module(name) for name in EXTENSIONS]
    cogs = [each for module in modules for each in vars(module).values() if inspect.isclass(each)]
    for cog in cogs:
        for root in cog.__cog_app_commands__ if issubclass(cog, commands.Cog) else ():
            for command in [root, *(root.walk_commands() if isinstance(root, app_commands.Group) else ())]:
                yield message_key(command)
                if isinstance(command, app_commands.Command):
                    yield from (f"{message_key(command)}-{each.display_name}" for each in command.parameters)


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
            elif isinstance(assigned, ast.arg) and assigned.arg == node.id and assigned.annotation:
                yield from re.findall(r"'(.*?)'", ast.unparse(assigned.annotation))
    else:
        # The key of an error.
        assert isinstance(node, ast.Attribute)


def test_every_text_that_the_code_uses_exists_and_gets_its_values() -> None:
    asked = list(calls())
    assert len(asked) > 10
    for wanted, given in asked:
        assert [key for key in wanted if key not in ENGLISH] == []
        for key in wanted if given is not None else ():
            assert set(variables(ENGLISH[key])) <= (given or set()), key


def refusals() -> Iterator[tuple[str, set[str] | None]]:
    for file in SOURCES:
        for scope in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
                for call in ast.walk(scope):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) == "PolicyError":
                        yield from ((key, given(call)) for key in keys(call.args[0], scope))


def test_every_policy_error_has_exactly_the_values_of_its_text() -> None:
    raised = list(refusals())
    assert {key for key, _ in raised} == set(get_args(errors.PolicyKey))
    for key, values in raised:
        assert values == set(variables(ENGLISH[key])), key


SHOWN = {"content", "title", "description", "label", "placeholder", "text", "name", "value"}


@pytest.mark.parametrize(
    "file",
    [file for file in SOURCES if str(file.relative_to(ROOT)).startswith(("cogs/", "bot/discord/"))],
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_no_user_visible_text_in_the_code(file: Path) -> None:
    calls = [
        each
        for each in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(each, ast.Call | ast.ClassDef) and not ast.unparse(each).startswith("asyncio.")
    ]
    shown = [each.value for call in calls for each in call.keywords if each.arg in SHOWN]
    literals = [
        str(part.value)
        for value in shown
        for part in (value.values if isinstance(value, ast.JoinedStr) else [value])
        if isinstance(part, ast.Constant)
    ]
    # A single lowercase word can be the name of a command or a file.
    assert [words for words in literals if re.search(r"[A-Z][a-z]|[a-z] |[^\W\d_a-zA-Z]", words)] == []


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))
def test_error_values_are_not_in_one_language(file: Path) -> None:
    """Messages of libraries are English, so error values are `LazyText`s."""
    calls = [each for each in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(each, ast.Call)]
    raised = [each for each in calls if ast.unparse(each.func).endswith("Error")]
    values = [keyword.value for each in raised for keyword in each.keywords]
    words = [
        ast.unparse(each) for each in values if isinstance(each, ast.Constant) and " " in str(each.value)
    ]
    assert words == []
    assert [
        each for each in map(ast.unparse, values) if re.fullmatch(r"str\((e|error|problem)\)", each)
    ] == []


def test_every_text_is_used() -> None:
    used = {key for wanted, _ in calls() for key in wanted} | {failure.key for failure in FAILURES}
    used |= set(get_args(errors.PolicyKey))
    choices = {key for key in ENGLISH if key.startswith("choice-")}
    assert set(ENGLISH) - used - choices - set(commands_keys()) == set()


def test_every_command_and_option_has_a_description_in_every_language() -> None:
    wanted = list(commands_keys())
    assert "command-quota-set-limit" in wanted
    missing = [f"{key} in {name}" for name, own in CATALOGUES.items() for key in wanted if key not in own]
    assert missing == []
