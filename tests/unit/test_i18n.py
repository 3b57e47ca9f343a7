"""Every text exists in every language, can be formatted, and is used."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import pkgutil
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, get_args

import pytest
from babel import Locale
from discord import app_commands
from discord.ext import commands
from fluent.syntax import ast as ftl
from fluent.syntax import parse
from fluent.syntax.visitor import Visitor

import bot
from bot import errors
from bot.discord.requester import _POST_PERMISSIONS
from bot.discord.views.job_buttons import JobAction
from bot.domain.quota import Period
from bot.i18n import DEFAULT_LOCALE, LazyText, translate, with_decimal_mark
from bot.models.options import OptionType
from bot.models.schema import MESSAGE_KEYWORDS
from cogs import EXTENSIONS
from cogs.localization.translator import message_key
from cogs.settings.controls import DefaultOptionSelect, EntitySelect, TextModal, ValueSelect
from cogs.settings.specs import _LOG_RIGHTS, SECTIONS, SPECS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_OLD_BUTTONS = {
    JobAction.CONFIRM,
    JobAction.BLOCK,
    JobAction.KEEP,
}  # only messages of older versions have them
ROOT = Path(__file__).parents[2]
LOCALES = sorted(folder.name for folder in (ROOT / "bot" / "locales").iterdir() if folder.is_dir())
# Discord's maximum length of a text by the prefix of its key; else that of a message.
LIMITS = {
    "command-": 100,
    "choice-": 100,
    "menu-": 32,
    "button-": 80,
    "numbered-": 80,
    "alt-": 1024,
    "modal-": 45,
    "label-": 45,
    "select-": 100,
    "choose-": 100,
    "placeholder-": 100,
    "hint-": 100,
    "section-": 100,
    "": 2000,
}
NUMBERS = (0, 1, 2, 5, 11, 21, 22, 25, 1_000_000, Decimal("0.5"), Decimal("1.50"), Decimal("21.25"))
# Names that are the same in every language.
NAMES = {
    *("Discord", "RunComfy", "AutoMod", "CSV", "K", "True", "False", "BUDGET", "USD", "prompt", "txt"),
    *(
        "imagine",
        "quota",
        "set",
        "clear",
        "grant",
        "report",
        "who",
        "together",
        "amount",
        "start",
        "over",
        "settings",
        "jobs",
        "Europe",
        "Berlin",
        "Asia",
        "Tokyo",
        "UTC",
        "ID",
    ),
}
PLURALS = {"zero", "one", "two", "few", "many", "other"}
TEXT = "<t:1795000000:R> & <@900000000000000002> [x](y) * 1"

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
TEXTS = [(locale, key) for locale, texts in CATALOGUES.items() for key in texts]


def fillings(message: ftl.Message) -> Iterator[dict[str, str | int | Decimal]]:
    """Yield every combination of values that can matter; others once as a number and once as text."""
    for other in (1_000_000, TEXT):
        found = {name: sorted(samples, key=str) or [other] for name, samples in variables(message).items()}
        for values in itertools.product(*found.values()):
            yield dict(zip(found, values, strict=True))


@pytest.mark.parametrize(("locale", "key"), TEXTS)
def test_every_text_can_be_formatted_in_all_its_variants(locale: str, key: str) -> None:
    for values in fillings(CATALOGUES[locale][key]):
        text = translate(key, locale, **values)
        assert text.strip() == text != ""
        # Discord counts as JavaScript does: most emoji are two.
        assert len(text.encode("utf-16-le")) // 2 <= limit(key), f"{key} is too long in {locale}: {text}"
        assert not re.search(r"[\u2066-\u2069{}]|1[,.\s\u00a0\u202f]000", text)
        is_filled = TEXT in values.values() and values.get("fits") != "forbidden"  # a limit of 0 never resets
        assert not is_filled or TEXT in text


def limit(key: str) -> int:
    return next(most for prefix, most in LIMITS.items() if key.startswith(prefix))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_language_has_the_same_texts_and_variables(locale: str) -> None:
    own = CATALOGUES[locale]
    assert [f"{key} is missing in {locale}" for key in ENGLISH if key not in own] == []
    assert [f"{key} is missing in {DEFAULT_LOCALE}" for key in own if key not in ENGLISH] == []
    for key, message in own.items():
        assert set(variables(message)) == set(variables(ENGLISH[key])), (
            f"{key} has other variables in {locale}"
        )
    assert list(own) == list(ENGLISH), "the texts stand in the same order everywhere"


@pytest.mark.parametrize(("locale", "key"), TEXTS)
def test_every_plural_has_all_forms_of_its_language(locale: str, key: str) -> None:
    forms = {*Locale.parse(locale, sep="-").plural_form.tags, "other"}
    for plural in parts(CATALOGUES[locale][key]).plurals:
        assert names(plural) == forms, f"{key} in {locale} needs the plurals {sorted(forms)}"
        one = next(each for each in plural.variants if getattr(each.key, "name", "") == "one")
        is_one_alone = locale == DEFAULT_LOCALE  # elsewhere 21 is "one" too
        selector = plural.selector
        assert isinstance(selector, ftl.VariableReference)
        assert is_one_alone or selector.id.name in parts(one.value).found, f"{key} hides its 21 in {locale}"


@pytest.mark.parametrize("key", ENGLISH)
def test_nothing_stays_english_in_russian(key: str) -> None:
    words = parts(CATALOGUES["ru"][key]).words
    assert [word for word in words if word.isascii() and word not in NAMES] == []
    assert [word for word in words if not word.isascii() and re.search("[A-Za-z]", word)] == []


@pytest.mark.parametrize(
    ("number", "english", "russian"),
    [
        (0, "0 images", "0 изображений"),
        (1, "1 image", "1 изображение"),
        (2, "2 images", "2 изображения"),
        (5, "5 images", "5 изображений"),
        (11, "11 images", "11 изображений"),
        (21, "21 images", "21 изображение"),
        (1_000_000, "1000000 images", "1000000 изображений"),
        (Decimal("1.00"), "1 image", "1 изображение"),
        (Decimal("1E+1"), "10 images", "10 изображений"),
        (Decimal("1.50"), "1.5 images", "1,5 изображения"),
        (Decimal("0.25"), "0.25 images", "0,25 изображения"),
        (Decimal("1234.5"), "1234.5 images", "1234,5 изображения"),
        (Decimal("0.000125"), "0.000125 images", "0,000125 изображения"),
    ],
)
def test_numbers_are_plain_and_select_the_plural(number: int | Decimal, english: str, russian: str) -> None:
    assert translate("images", "en-US", count=number) == english
    assert translate("images", "ru", count=number) == russian


def test_russian_verbs_agree_with_their_number() -> None:
    granted = [translate("quota-reset-granted", "ru", who="@x", credits=number) for number in (21, 22)]
    assert ["добавлен 21 кредит " in granted[0], "добавлено 22 кредита " in granted[1]] == [True, True]
    assert translate("modal-delete", "ru", images=1) == "Удалить изображение?"
    assert translate("modal-delete", "ru", images=2) == "Удалить 2 изображения?"


def test_names_have_the_decimal_mark_of_numbers_beside_them() -> None:
    assert with_decimal_mark("0.5K", "en-US") == "0.5K"
    assert with_decimal_mark("0.5K", "ru") == "0,5K"
    assert with_decimal_mark("a.b 1. 16:9", "ru") == "a.b 1. 16:9"
    assert "0,5K" in translate("resolution-forbidden", "ru", highest="0.5K")
    assert translate("option-value", "ru", option="v1.5K", value="see 0.5K") == "v1.5K: see 0.5K"


def test_dollars_are_formatted_by_language() -> None:
    for amount, english, russian in (
        ("1.5", "$1.50", "1,50 $"),
        ("1234.125", "$1234.12", "1234,12 $"),
        ("0", "$0.00", "0,00 $"),
    ):
        assert translate("dollars", "en-US", amount=Decimal(amount)) == english
        assert translate("dollars", "ru", amount=Decimal(amount)) == russian


def test_nested_texts_use_the_same_language() -> None:
    problem = LazyText("problem-minimum", {"wanted": Decimal("0.5")})
    said = {
        locale: translate("invalid-option", locale, option="x", problem=problem) for locale in ("en", "ru")
    }
    assert said["en"] == "⚠️ The option x must be at least 0.5."
    assert said["ru"] == "⚠️ Параметр x должен быть не меньше 0,5."
    rights = (LazyText("permission-view_channel"), LazyText("permission-attach_files"))
    assert "View Channel, Attach Files" in translate("missing-permissions", "en", permissions=rights)
    assert "Просматривать канал, Прикреплять файлы" in translate(
        "missing-permissions", "ru", permissions=rights
    )


def test_closest_available_language_is_used() -> None:
    english = translate("button-cancel", "en-US")
    assert english == "Cancel"
    for locale in ("en-GB", "en", "uk", "xx", "xx-YY", ""):
        assert translate("button-cancel", locale) == english
    assert translate("button-cancel", "ru") == translate("button-cancel", "ru-RU") == "Отменить"


def test_missing_key_or_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        translate("no-such-text", "en-US")
    with pytest.raises(ValueError, match="seed"):
        translate("seed", "en-US")


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
    "button-": [action.name.lower() for action in JobAction if action not in _OLD_BUTTONS],
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
    "placeholder-": (*_with(EntitySelect), "section", "pick-channel", "pick-option"),
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


@pytest.mark.parametrize("locale", LOCALES)
def test_selects_begin_with_what_a_phone_shows(locale: str) -> None:
    """A phone shows about 30 characters of a select."""
    for name in _with(ValueSelect):
        assert translate(f"offer-{name}", locale, value="4K").index("4K") < 25
    shown = translate("offer-channel_safety", locale, channel="#a-long-chan…", value="6")
    assert shown.index("6") < 32
    for key in ENGLISH:
        if key.startswith("placeholder-"):
            assert len(translate(key, locale).split(" (")[0]) <= 30


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


def test_key_of_a_context_menu_is_its_english_name() -> None:
    menus = [key for key in ENGLISH if key.startswith("menu-")]
    assert menus == [f"menu-{translate(key, 'en-US').lower().replace(' ', '-')}" for key in menus]
