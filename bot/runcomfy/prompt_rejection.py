"""Detect in a response that a safety filter rejected the prompt.

RunComfy documents no code or field for this. The words are those of the services behind its models: Google
(`finishReason`, `blockReason`, `raiFilteredReason`), OpenAI and Azure (`content_policy_violation`,
`content_filter`), Black Forest Labs ("Request Moderated"), ByteDance ("SensitiveContentDetected"), Replicate,
fal, Stability. The text can quote the prompt or a secret, so it is searched but never shown or logged.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import JsonValue

_DEPTH_MAX: Final = 12
_TEXT_MAX: Final = 2000
_TEXTS_MAX: Final = 200  # thousands of adverse ones would block the event loop for seconds
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_WORD: Final = re.compile(r"[\W_]+")
_CLAUSE: Final = re.compile(r"[.;\n]+\s|\n")
_QUOTED_PROMPT: Final = re.compile(r"(?i)\bprompt\W{1,3}?['\"`“][^'\"`”\n]*+['\"`”]")

# Field names, in snake case. Fields with a reason, by the last word of their name: `error`, `finish_reason`.
_REASON: Final = re.compile(
    r"(?:.*_)?(?:blocked|code|cause|description|details?|errors?|explanation|failed|failures?|fault"
    r"|messages?|msg|reasons?|title|type|violations?|warnings?)"
)
_ECHO: Final = re.compile(r"inputs?|(?:revised_|negative_)?prompt|text|request(?:_id)?|param(?:eter)?s")
# Flags that mean a rejection if `true`, or a list with a `true`, and flags that mean one if `false`.
_FLAG: Final = re.compile(
    r"(?:is_|has_)?(?:nsfw|flagged|blocked|filtered|moderated|censored)(?:_concepts?|_content_detected)?"
    r"|content_filtered"
)
_SAFE_FLAG: Final = re.compile(r"is_(?:image_|prompt_)?safe")
_BLOCK_REASONS: Final = frozenset({"block_reason", "rai_filtered_reason", "block_reason_message"})
"""Fields that exist only after a rejection, whatever their text."""

_SUBJECT = r"(?:prompts?|input text|input image|content|images?|outputs?|words?)"
_REJECTED = (
    r"(?:refused|rejected|blocked|flagged|filtered|prohibited|banned|forbidden|disallowed|censored|denied)"
)
_VERDICT: Final = re.compile(
    r"\b(?:nsfw|recitation|blocklist|spii|jailbreak|model armor|responsible ai|risk control|image safety"
    r"|(?:content|usage|safety) polic(?:y|ies)|(?:content|image|request) moderated|moderated content"
    r"|prohibited content|content prohibited|image prohibited|moderation blocked|content filtered"
    rf"|{_REJECTED} (?:the |this |your |a )?prompt|prompts? (?:was |is |has been |were )?{_REJECTED}"
    r"|prompt (?:was |is )?not allowed"
    r"|sensitive (?:words?|content|information|material|image|text)|as sensitive"
    r"|(?:community|usage|content) (?:guidelines|standards|restrictions?)|acceptable use"
    r"|terms of (?:use|service)"
    r"|(?:inappropriate|harmful|explicit|sexual|violent|hateful|unsafe|copyrighted)"
    r" (?:content|images?|material))\b"
    r"|违规|敏感|审核"
)
"""Phrases that always mean a rejection."""
_HINT: Final = re.compile(
    r"\b(?:safety|moderat(?:ed|ion)|content filters?|blocked|flagged|prohibit(?:ed|s)|sensitive"
    r"|violat(?:es?|ed|ing|ions?)|disallowed|censored|unsafe|inappropriate|nudity|celebrit(?:y|ies)"
    r"|public figures?|(?:against|breach(?:es)?|due to) (?:our |the |its )?(?:\w+ )?polic(?:y|ies)"
    rf"|{_SUBJECT} (?:was |is |were |are )?not allowed|{_SUBJECT} (?:was |is |were |are )?{_REJECTED})\b"
)
"""Words that mean a rejection unless their clause is about a technical problem."""
_TECHNICAL: Final = re.compile(
    r"\b(?:time ?outs?|timed out|unavailable|unreachable|overloaded|(?:could not|failed to|cannot|unable to)"
    r" (?:be )?(?:reach|load|connect|start|initiali[sz]e|parse|read|open|decode|evaluate|run|complete)\w*"
    r"|connection|network|firewall|proxy|gateway|server|host|port|dns|ssl|tls|cors|origin|headers?|user|domain"
    r"|ip address|urls?|download|callback|webhook|(?:mime|content|file|data) (?:type|length)|case sensitive"
    r"|retry|retries|(?:rate|size|memory|time|request) limit|limit (?:reached|exceeded)|quota|queue|requests"
    r"|worker|threads?|lock|deadlock|memory|segmentation|cuda|gpu|disk|database|constraint|foreign key|schema"
    r"|pattern|format|tolerance|bucket|storage|iam|access (?:denied|violation|key|control|token)|permissions?"
    r"|tokens?|api key|certificate|account|balance|billing|pickle|checkpoint|tensor|import error|operation"
    r"|region)\b"
)


def is_prompt_rejection(body: JsonValue, *, only_verdicts: bool = False) -> bool:
    """Whether a response, apart from its echo of the input, says that the prompt was rejected.

    `only_verdicts` ignores words that can also describe an account or a connection.
    """
    texts = islice(_texts(body, is_reason=False, depth=0), _TEXTS_MAX)
    return any(_is_rejection(text, only_verdicts=only_verdicts) for text in texts)


def _texts(node: JsonValue, *, is_reason: bool, depth: int) -> Iterator[str]:
    """Yield every text that gives a reason; a flag is yielded as one."""
    if depth > _DEPTH_MAX:
        return
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _field(_snake(name), value, is_reason=is_reason, depth=depth)
    elif isinstance(node, list):
        for each in node:
            yield from _texts(each, is_reason=is_reason, depth=depth + 1)
    elif isinstance(node, str) and is_reason and "://" not in node:
        nested = _parse_json(node)
        if nested is None:
            yield node[:_TEXT_MAX]
        else:
            yield from _texts(nested, is_reason=True, depth=depth + 1)


def _field(name: str, value: JsonValue, *, is_reason: bool, depth: int) -> Iterator[str]:
    if _ECHO.fullmatch(name) and not (is_reason and name == "text"):
        return
    values = value if isinstance(value, list) else [value]
    if (_FLAG.fullmatch(name) and True in values) or (_SAFE_FLAG.fullmatch(name) and False in values):
        yield "nsfw"
    elif name in _BLOCK_REASONS and isinstance(value, str) and value:
        yield "" if value.endswith("UNSPECIFIED") else "blocklist"
    else:
        has_reason_name = _REASON.fullmatch(name) is not None or (is_reason and name == "text")
        # A text in place of a status or a file's URL can be a reason too.
        is_prose = depth == 0 and name in {"output", "status"} and not isinstance(value, dict)
        is_inherited = is_reason and not isinstance(value, str)
        yield from _texts(value, is_reason=has_reason_name or is_prose or is_inherited, depth=depth + 1)


def _snake(name: str) -> str:
    return _NO_WORD.sub("_", _CAMEL.sub("_", name[:100])).lower()


def _parse_json(text: str) -> JsonValue:
    """Parse a text that is a JSON object or list; return None for any other."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        decoded: JsonValue = json.loads(text[:100_000])
    except (ValueError, RecursionError):
        return None
    return decoded


def _is_rejection(text: str, *, only_verdicts: bool) -> bool:
    for clause in _CLAUSE.split(_QUOTED_PROMPT.sub("prompt", text)):
        words = _NO_WORD.sub(" ", _CAMEL.sub(" ", clause)).lower().strip()
        if _VERDICT.search(words):
            return True
        if not only_verdicts and _HINT.search(words) and not _TECHNICAL.search(words):
            return True
    return False
