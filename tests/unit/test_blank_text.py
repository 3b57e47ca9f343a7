"""Prompts made of invisible characters, of any script and of emoji."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import InvalidOptionError
from bot.models.catalogue import Catalogue
from bot.models.schema import ModelSchema, is_blank

SCHEMA = Catalogue.load()["google/nano-banana-2/text-to-image"].schema
INVISIBLE = {
    "nothing": "",
    "spaces": " \t\r\n\u00a0\u2003\u3000\u1680\u2028\u2029\u0085",
    "zero-width space": "\u200b",
    "joiners": "\u200c\u200d\u2060\ufeff\u034f",
    "directions": "\u200e\u200f\u202a\u202e\u2066\u2069\u061c",
    "invisible operators": "\u2061\u2062\u2063\u2064",
    "soft hyphen": "\u00ad",
    "Mongolian vowel separator": "\u180e\u180b",
    "Hangul fillers": "\u3164\u115f\u1160\uffa0",
    "Khmer inherent vowels": "\u17b4\u17b5",
    "Braille blank": "\u2800",
    "variation selectors": "\ufe0f\ufe0e\U000e0100",
    "tags": "\U000e0067\U000e0062\U000e007f\U000e0001",
    "combining marks": "\u0301\u0308\u20e3",
    "annotation": "\ufff9\ufffb\ufffc",
    "musical null": "\U0001d159\U0001d173",
    "hieroglyph blanks": "\U00013441\U00013442\U00013430",
    "controls": "\x00\x01\x1f\x7f",
    "a lone surrogate": "\ud800",
    "a mixture": " \u200b\u3164\u2800\ufe0f\u0301\U000e0020 ",
}
VISIBLE = {
    "family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "heart": "\u2764\ufe0f",
    "keycap": "1\ufe0f\u20e3",
    "flag": "\U0001f1fa\U0001f1f3",
    "flag of tags": "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "skin tone": "\U0001f44d\U0001f3fd",
    "Hangul": "\uc5ec\uc6b0",
    "Hangul letters": "\u1112\u1161\u11ab",
    "Japanese": "\u96ea\u306e\u4e2d\u306e\u72d0",
    "Hindi": "\u0932\u094b\u092e\u0921\u093c\u0940",
    "Thai": "\u0e2a\u0e38\u0e19\u0e31\u0e02",
    "Arabic": "\u062b\u0639\u0644\u0628",
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Amharic": "\u1240\u1260\u122e",
    "Mongolian": "\u1826\u1828\u1821\u182d\u180b\u1821",
    "Cuneiform": "\U00012000",
    "Braille": "\u2801",
    "a decomposed letter": "e\u0301",
    "punctuation": "?",
    "a symbol": "\u221e",
    "a letter behind zero-width spaces": "\u200b\u200ba\u200b",
    "an emoji that is newer than this Python": "\U0001fae9\U0001faea",
}


@pytest.mark.parametrize("text", INVISIBLE.values(), ids=INVISIBLE)
def test_invisible_prompt_is_rejected_as_empty(text: str) -> None:
    assert is_blank(text)
    with pytest.raises(InvalidOptionError) as caught:
        SCHEMA.clean({"prompt": text})
    assert getattr(caught.value.values["problem"], "key", None) == "problem-empty"


@pytest.mark.parametrize("text", VISIBLE.values(), ids=VISIBLE)
def test_visible_prompt_is_accepted(text: str) -> None:
    assert not is_blank(text)
    assert SCHEMA.clean({"prompt": text})["prompt"] == text


@pytest.mark.parametrize(
    ("name", "rule", "is_required", "is_refused"),
    [
        ("text", {"type": "string"}, True, True),
        ("style", {"type": "string", "minLength": 1}, False, True),
        ("prompt", {"type": "string"}, False, True),
        ("negative_prompt", {"type": "string", "default": ""}, False, False),
        ("negative_prompt", {"type": "string"}, False, False),
        ("mode", {"type": "string", "enum": ["\u200b", "x"]}, True, False),
    ],
)
def test_optional_text_can_be_blank(
    name: str, rule: dict[str, Any], *, is_required: bool, is_refused: bool
) -> None:
    schema = ModelSchema.parse({"properties": {name: rule}, "required": [name] if is_required else []})
    assert schema.accepts(name, "\u200b") is not is_refused
    if is_refused:
        with pytest.raises(InvalidOptionError):
            schema.clean({name: "\u200b"})
    else:
        assert schema.clean({name: "\u200b"}) == {name: "\u200b"}


def test_long_text_takes_linear_time() -> None:
    assert is_blank("\u200b" * 1_000_000)
    assert not is_blank("\u200b" * 1_000_000 + "a")
