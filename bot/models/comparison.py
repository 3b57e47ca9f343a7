"""Compare a model's file with what RunComfy says about the model now."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bot.models.file_inputs import FileInput, file_format, takes_images
from bot.models.options import option_type
from bot.models.schema import MAX_SEED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.models.live import LiveModel
    from bot.models.model import Model
    from bot.models.options import Option

_SHOWN_MAX: Final = 60  # characters of a name or value from outside
_LISTED_MAX: Final = 8
_NO_BOUND: Final = 10**18
_LONGEST_TEXT: Final = 6000  # that Discord lets members type
# Keywords whose new values can refuse what the file allows, and that have no comparison of their own.
_OTHER_RULES: Final = ("multipleOf", "pattern", "const")
_RULES_ACROSS: Final = ("allOf", "anyOf", "oneOf", "not", "if", "dependentRequired", "dependentSchemas")


@dataclass(slots=True)
class Comparison:
    """What differs, as sentences that name the field."""

    problems: list[str] = field(default_factory=list)
    """Differences that make requests fail."""
    notes: list[str] = field(default_factory=list)
    """Harmless differences."""


def compare(model: Model, live: LiveModel) -> Comparison:
    """Compare a model's file with RunComfy's entry, as far as the bot's requests depend on it."""
    found = Comparison()
    if live.model_id not in {None, model.model_id}:
        found.problems.append(f"model_id: RunComfy calls the model {_show(live.model_id)} now")
    if live.output_kinds and "image" not in live.output_kinds:
        kinds = " and ".join(sorted(live.output_kinds))
        found.problems.append(f"categories: the model makes {kinds}, not images")
    properties = (live.input_schema or {}).get("properties")
    if live.input_schema is None or not isinstance(properties, dict):
        found.problems.append("input_schema: RunComfy's answer has none, or one without properties")
        return found
    rules = {name: rule if isinstance(rule, dict) else {} for name, rule in properties.items()}
    _compare_names(model, rules, _strings(live.input_schema.get("required")), found)
    for option in model.schema.options.values():
        if option.name in rules:
            _compare_option(option, _rules(model, option.name), rules[option.name], found)
    for file in model.schema.files.values():
        if file.name in rules:
            _compare_file(file, rules[file.name], found)
    if any(live.input_schema.get(name) != model.schema.published.get(name) for name in _RULES_ACROSS):
        found.notes.append("input_schema: RunComfy's rules across several fields differ from the file's")
    return found


def _compare_names(
    model: Model, rules: Mapping[str, dict[str, Any]], required: set[str], found: Comparison
) -> None:
    """Report properties that are gone, renamed, new or newly required."""
    known, used = set(_properties(model)), {*model.schema.options, *model.schema.files}
    gone = [name for name in _properties(model) if name not in rules]
    new = [name for name in rules if name not in known]
    renamed = _renamed([name for name in gone if name in used], new, model, rules)
    for name in gone:
        if name in renamed:
            found.problems.append(f"{name}: is called {_show(renamed[name])} now")
        elif name in used:
            found.problems.append(f"{name}: RunComfy no longer has it")
        else:
            found.notes.append(f"{name}: RunComfy no longer has it, and the bot never sends it")
    for name in new:
        if name in required and name not in renamed.values():
            found.problems.append(f"{_show(name)}: is new and required")
        elif name not in renamed.values():
            found.notes.append(f"{_show(name)}: is new, and optional")
    for name in sorted(required & known):
        if not _is_always_sent(model, name):
            found.problems.append(f"{name}: is required now")
    for name in sorted(required - rules.keys() - known):
        found.problems.append(f"{_show(name)}: is required, but RunComfy does not describe it")


def _renamed(
    gone: list[str], new: list[str], model: Model, rules: Mapping[str, dict[str, Any]]
) -> dict[str, str]:
    """Return {old name: new name} where only one new property can be what an old one has become."""
    found: dict[str, str] = {}
    for name in gone:
        shape = _shape(_rules(model, name))
        twins = [each for each in gone if _shape(_rules(model, each)) == shape]
        heirs = [each for each in new if _shape(rules[each]) == shape]
        if len(twins) == len(heirs) == 1:
            found[name] = heirs[0]
    return found


def _shape(rules: Mapping[str, Any]) -> object:
    """Return what tells properties of different meaning apart, regardless of their names."""
    if takes_images(rules):
        return ("images", rules.get("type") == "array")
    choices = rules.get("enum")
    return (option_type(rules), json.dumps(choices if isinstance(choices, list) else []))


def _is_always_sent(model: Model, name: str) -> bool:
    if file := model.schema.files.get(name):
        return file.required
    option = model.schema.options.get(name)
    return option is not None and (option.required or option.is_seed or option.default is not None)


def _compare_option(
    option: Option, rules: Mapping[str, Any], live: Mapping[str, Any], found: Comparison
) -> None:
    kind = option_type(live)
    if kind is None and (file_format(live) or "type" in live):
        what = file_format(live) or _show(live["type"])
        found.problems.append(f"{option.name}: has the type {what} now, not {option.type}")
        return
    if kind not in {None, option.type} and (option.type, kind) != ("integer", "number"):
        found.problems.append(f"{option.name}: has the type {kind} now, not {option.type}")
        return
    if option.type != "boolean":
        _compare_choices(option, live, found)
    if option.type == "string":
        _compare_lengths(option, live, found)
    elif option.type != "boolean":
        _compare_bounds(option, rules, live, found)
    for keyword in _OTHER_RULES:
        if keyword in live and live[keyword] != rules.get(keyword):
            found.problems.append(f"{option.name}: has the new rule {keyword} {_show(live[keyword])}")
    was, now = rules.get("default"), live.get("default")
    if was != now and not option.is_main_text:
        found.notes.append(f"{option.name}: its default is {_show(now)} now, the file says {_show(was)}")


def _compare_choices(option: Option, live: Mapping[str, Any], found: Comparison) -> None:
    allowed = live.get("enum")
    if not isinstance(allowed, list):
        return
    if not option.choices:
        found.problems.append(f"{option.name}: takes only {_list(allowed)} now")
    elif gone := [each for each in option.choices if each not in allowed]:
        found.problems.append(f"{option.name}: no longer takes {_list(gone)}")
    if option.choices and (new := [each for each in allowed if each not in option.choices]):
        found.notes.append(f"{option.name}: also takes {_list(new)}")


def _compare_lengths(option: Option, live: Mapping[str, Any], found: Comparison) -> None:
    if option.choices:
        return
    least = max(option.min_length or 0, int(option.required or option.is_main_text))
    most = min(option.max_length or _LONGEST_TEXT, _LONGEST_TEXT)
    live_least, live_most = _number(live.get("minLength")), _number(live.get("maxLength"))
    if live_least is not None and live_least > least:
        found.problems.append(f"{option.name}: needs at least {live_least} characters now, was {least}")
    if live_most is not None and live_most < most:
        found.problems.append(f"{option.name}: takes at most {live_most} characters now, was {most}")


def _compare_bounds(
    option: Option, rules: Mapping[str, Any], live: Mapping[str, Any], found: Comparison
) -> None:
    """Report bounds that are narrower; a seed counts by the range that the bot draws from."""
    low, high = _low(rules), _high(rules)
    if option.choices:
        numbers = [each for each in option.choices if isinstance(each, int | float)]
        low, high = (min(numbers), False), (-max(numbers), False)
    elif option.is_seed:
        low, high = max(low, (0, False)), max(high, (-MAX_SEED, False))
    live_low, live_high = _low(live), _high(live)
    if live_low > low:
        found.problems.append(f"{option.name}: its minimum is {live_low[0]} now, was {_bound(low[0])}")
    if live_high > high:
        found.problems.append(f"{option.name}: its maximum is {-live_high[0]} now, was {_bound(-high[0])}")
    if not option.choices and not option.is_seed and (live_low < low or live_high < high):
        text = f"takes {_bound(live_low[0])} to {_bound(-live_high[0])} now"
        found.notes.append(f"{option.name}: {text}")


def _low(rules: Mapping[str, Any]) -> tuple[float, bool]:
    """Return the lower bound and whether it is exclusive, so that a narrower one is greater."""
    bounds = [(rules.get("minimum"), False), (rules.get("exclusiveMinimum"), True)]
    found = [(number, is_exclusive) for each, is_exclusive in bounds if (number := _number(each)) is not None]
    return max(found, default=(-math.inf, False))


def _high(rules: Mapping[str, Any]) -> tuple[float, bool]:
    """Return the negated upper bound and whether it is exclusive, so that a narrower one is greater."""
    bounds = [(rules.get("maximum"), False), (rules.get("exclusiveMaximum"), True)]
    found = [
        (-number, is_exclusive) for each, is_exclusive in bounds if (number := _number(each)) is not None
    ]
    return max(found, default=(-math.inf, False))


def _compare_file(file: FileInput, live: Mapping[str, Any], found: Comparison) -> None:
    if not takes_images(live):
        what = file_format(live) or f"the type {_show(live.get('type'))}"
        found.problems.append(f"{file.name}: takes {what} now, not pictures")
        return
    is_list = live.get("type") == "array"
    if is_list != file.is_list:
        found.problems.append(f"{file.name}: takes {'a list of pictures' if is_list else 'one picture'} now")
        return
    least, most = _number(live.get("minItems")), _number(live.get("maxItems"))
    if is_list and least is not None and least > file.least:
        found.problems.append(f"{file.name}: needs at least {least} pictures now, was {file.least}")
    if is_list and most is not None and most < file.most:
        found.problems.append(f"{file.name}: takes at most {most} pictures now, was {file.most}")


def _properties(model: Model) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = model.schema.published["properties"]
    return properties


def _rules(model: Model, name: str) -> Mapping[str, Any]:
    rules: Mapping[str, Any] = _properties(model)[name]
    return rules


def _strings(found: object) -> set[str]:
    return {each for each in found if isinstance(each, str)} if isinstance(found, list) else set()


def _number(found: object) -> int | float | None:
    """Return a number that can be a bound, or None."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    return found if abs(found) < _NO_BOUND else None


def _bound(number: float) -> str:
    return "none" if math.isinf(number) else str(number)


def _list(values: Iterable[object]) -> str:
    shown = [_show(each) for each in values]
    more = f" and {len(shown) - _LISTED_MAX} more" if len(shown) > _LISTED_MAX else ""
    return ", ".join(shown[:_LISTED_MAX]) + more


def _show(value: object) -> str:
    """Return a value from outside, shortened; texts as they are."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_MAX else text[: _SHOWN_MAX - 1] + "…"
