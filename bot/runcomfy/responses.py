"""RunComfy's answers, parsed where they come in; the rest of the bot sees only these frozen nouns.

RunComfy speaks two vocabularies: /status says `completed` for every end, good or bad, and only /result tells
`succeeded` from `failed`. Its own clients read more words than are documented, so this module does too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WrapValidator,
)

from bot.errors import GenerationFailedError, PromptRefusedError
from bot.runcomfy.prompt_rejection import is_prompt_rejection

if TYPE_CHECKING:
    import aiohttp
    from pydantic import ValidatorFunctionWrapHandler

Json: TypeAlias = dict[str, JsonValue]
_BODY_MAX = 2**20
_FILES_MAX = 10  # nobody can order more, and no message holds more


@dataclass(frozen=True, slots=True)
class InQueue:
    """The request waits; `position` counts from 1 and is None where RunComfy does not say."""

    position: int | None


@dataclass(frozen=True, slots=True)
class InProgress:
    """The request is being worked on and can no longer be cancelled."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The request has ended; its result tells how, even if `is_failed` is set."""

    is_failed: bool = False
    is_rejected: bool = False
    """Whether the reason given is the prompt; the result may give none."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The request was cancelled while it was queued."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """RunComfy used a word that nobody documents; `text` is that word, cut to 40 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The request succeeded; `urls` are its files in order, each once, at least one."""

    urls: tuple[str, ...]


Status: TypeAlias = InQueue | InProgress | Completed | Cancelled | Unknown

# Compared as `_normalize_status` returns them.
_QUEUED = re.compile(r"inqueue|queued|pending|waiting|scheduled|submitted|created")
_RUNNING = re.compile(r"inprogress|starting|started|processing|running|generating|working")
_SUCCEEDED = re.compile(
    r"succeed(?:ed)?|success(?:ful)?|completed?(?:with\w+)?|done|finish(?:ed)?|ended|ready"
)
# Also words that name what failed, or why. A result that contradicts the status decides.
_FAILED = re.compile(
    r"(?!.*(?:retry|recover))(?:"
    r"fail|failed\w*|error\w*|\w*(?:failed|failure|errors?|exception|violation|blocked|notfound)"
    r"|timed?out|expired|rejected|refused|denied|abort(?:ed)?|terminated|killed|crashed|fatal"
    r"|dead|stopped|interrupted|dropped|lost|deleted|moderated|filtered|flagged|nsfw|invalid|unsuccessful"
    r"|contentmoderated|contentfiltered)"
)
_CANCELLED = re.compile(r"cancell?ed(?:by\w+)?|revoked")  # both spellings are in use at RunComfy
_PREFIX = re.compile(
    r"^(?:(?:job|task|request|run|generation)?(?:state|status)|job|task|request|generation)(?=.)"
)


def _none_if_invalid(value: object, parse: ValidatorFunctionWrapHandler) -> object:
    try:
        return parse(value)
    except ValidationError:
        return None


# A field that only adorns the answer must not spoil it.
_Position = Annotated[int | None, Field(ge=0, le=1_000_000), WrapValidator(_none_if_invalid)]
_Word = Annotated[str, StringConstraints(strip_whitespace=True)]
_Text = Annotated[str | None, WrapValidator(_none_if_invalid)]
_Usd = Annotated[Decimal | None, Field(ge=0, le=10_000), WrapValidator(_none_if_invalid)]
_RequestId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,128}\z")]


class _Submitted(BaseModel):
    request_id: _RequestId


class _State(BaseModel):
    status: _Word
    queue_position: _Position = None
    output: JsonValue = None
    error: JsonValue = None


class _Priced(BaseModel):
    cost: _Usd = None
    base_price_usd: _Usd = None
    price_unit: _Text = None


class _CancelAnswer(BaseModel):
    status: _Text = None
    outcome: _Text = None


# Making one takes longer than all else that is done with an answer.
_BODY: Final[TypeAdapter[Json]] = TypeAdapter(Json)


async def read_body(content: aiohttp.StreamReader) -> Json | None:
    """Read a JSON object, whatever its content type claims; None where it is none or larger than 1 MiB."""
    raw = bytearray()
    async for chunk in content.iter_any():
        raw += chunk
        if len(raw) > _BODY_MAX:
            return None
    return parse_body(bytes(raw))


def parse_body(raw: bytes) -> Json | None:
    """The JSON object in a body; None where it is none."""
    try:
        return _BODY.validate_json(raw)
    except ValueError:
        return None


def parse_error_code(body: Json) -> int | None:
    """The numeric `error_code` of a body, at its top or under `error`; None if there is none."""
    nested = body.get("error")
    for place in (body, nested if isinstance(nested, dict) else {}):
        code = place.get("error_code")
        if isinstance(code, int | str) and re.fullmatch(r"\d{1,9}", str(code), re.ASCII):
            return int(code)
    return None


def parse_request_id(body: Json) -> str:
    """The id of a request just made.

    Raises:
        ValueError: It is missing or of a form that cannot stand in a path.
    """
    return _Submitted.model_validate(body).request_id


def parse_status(body: Json) -> Status:
    """Where a request stands.

    Raises:
        ValueError: There is no status in it.
    """
    state = _State.model_validate(body)
    word = _normalize_status(state.status)
    if _QUEUED.fullmatch(word):
        return InQueue(state.queue_position)
    if _RUNNING.fullmatch(word):
        return InProgress()
    if _CANCELLED.fullmatch(word):
        return Cancelled()
    if _SUCCEEDED.fullmatch(word):
        return Completed(is_rejected=is_prompt_rejection(body))
    if _FAILED.fullmatch(word):
        return Completed(is_failed=True, is_rejected=is_prompt_rejection(body))
    return Unknown(state.status[:40])


def parse_result(body: Json) -> Result | None:
    """The files of a request that succeeded, or None while it has not ended.

    Raises:
        PromptRefusedError: It made nothing, and the reason given is the prompt.
        GenerationFailedError: It failed, was cancelled, or succeeded without a file.
        ValueError: There is no status in it.
    """
    state = _State.model_validate(body)
    word = _normalize_status(state.status)
    if _CANCELLED.fullmatch(word):
        raise GenerationFailedError("the request was cancelled")
    has_succeeded = _SUCCEEDED.fullmatch(word)
    if not has_succeeded and not _FAILED.fullmatch(word):
        return None
    # Only `output` is read: a result may echo the input, with URLs that are not ours.
    if has_succeeded and (urls := _urls(state.output)):
        return Result(urls[:_FILES_MAX])
    if is_prompt_rejection(body):
        raise PromptRefusedError("nothing was made, and the reason given is the prompt")
    raise GenerationFailedError(f"the request {'succeeded without output' if has_succeeded else 'failed'}")


def parse_cancelled(body: Json) -> bool:
    """Whether a cancel really cancelled; `outcome` decides, for `status` beside it can contradict it."""
    answer = _CancelAnswer.model_validate(body)
    return _CANCELLED.fullmatch(_normalize_status(answer.outcome or answer.status or "")) is not None


def parse_cost(body: Json) -> Decimal | None:
    """What a request has cost, in US dollars; None where its result does not say so, or not yet."""
    return _Priced.model_validate(body).cost


def parse_base_price(body: Json) -> Decimal | None:
    """What an image costs at the least, in US dollars; None where RunComfy sells by something else."""
    entry = _Priced.model_validate(body)
    return entry.base_price_usd if entry.price_unit in {None, "output"} else None


def _normalize_status(word: str) -> str:
    """Normalize a status: IN-PROGRESS, "In progress" and JOB_STATE_IN_PROGRESS are the same."""
    letters = re.sub(r"[\W_]+", "", word).lower()
    return _PREFIX.sub("", letters)


def _urls(output: JsonValue) -> tuple[str, ...]:
    # Documented as `images` and `image`, while the prose of the same page allows a bare string or a list.
    if isinstance(output, dict):
        return _urls(output.get("images")) or _urls(output.get("image"))
    if isinstance(output, str):
        return _urls([output])
    if isinstance(output, list):
        texts = (text.strip() for text in output if isinstance(text, str))
        return tuple(dict.fromkeys(text for text in texts if _looks_like_url(text)))
    return ()


def _looks_like_url(text: str) -> bool:
    """Whether a text can be an address rather than a sentence, such as a reason in place of an image."""
    return bool(text) and ("://" in text or not re.search(r"\s", text))
