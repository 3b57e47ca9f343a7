"""Every text exists in every language and can be formatted."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from babel import Locale
from fluent.syntax import ast as ftl

from bot.i18n import DEFAULT_LOCALE, LazyText, translate, with_decimal_mark
from cogs.settings.controls import ValueSelect
from cogs.settings.specs import SPECS
from tests.locales import CATALOGUES, ENGLISH, LOCALES, names, parts, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

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
# Names that are the same in every language.
NAMES = {
    *(
        "Discord",
        "RunComfy",
        "AutoMod",
        "CSV",
        "PNG",
        "JPEG",
        "WebP",
        "GIF",
        "K",
        "True",
        "False",
        "BUDGET",
        "USD",
        "highest",
        "multiple",
        *["python", "m", "bot", "models", "check"],
        "prompt",
        "txt",
    ),
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
        "privacy",
        "Europe",
        "Berlin",
        "Asia",
        "Tokyo",
        "UTC",
        "ID",
    ),
}
TEXT = "<t:1795000000:R> & <@900000000000000002> [x](y) * 1"
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


@pytest.mark.parametrize("locale", LOCALES)
def test_selects_begin_with_what_a_phone_shows(locale: str) -> None:
    """A phone shows about 30 characters of a select."""
    for name in [name for name, spec in SPECS.items() if isinstance(spec.control, ValueSelect)]:
        assert translate(f"offer-{name}", locale, value="4K").index("4K") < 25
    shown = translate("offer-channel_safety", locale, channel="#a-long-chan…", value="6")
    assert shown.index("6") < 32
    for key in ENGLISH:
        if key.startswith("placeholder-"):
            assert len(translate(key, locale).split(" (")[0]) <= 30


def test_key_of_a_context_menu_is_its_english_name() -> None:
    menus = [key for key in ENGLISH if key.startswith("menu-")]
    assert menus == [f"menu-{translate(key, 'en-US').lower().replace(' ', '-')}" for key in menus]
