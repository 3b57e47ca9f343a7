"""RunComfy's responses, parsed into frozen dataclasses.

RunComfy uses two vocabularies: /status says `completed` however a request ended, and only /result
distinguishes `succeeded` from `failed`. Its own clients accept more words than it documents, and so does
this module.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
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
from bot.models.live import LiveModel
from bot.runcomfy.prompt_rejection import is_prompt_rejection

if TYPE_CHECKING:
    import asyncio

    import aiohttp
    from pydantic import ValidatorFunctionWrapHandler

Json: TypeAlias = dict[str, JsonValue]
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")  # any that is safe in a URL path
_BODY_MAX = 2**20
_FILES_MAX = 10  # the most that fit into one message
_NAME_MAX, _NOTE_MAX, _CATEGORIES_MAX = 100, 500, 20


@dataclass(frozen=True, slots=True)
class InQueue:
    """The request is queued; `position` counts from 1 and is None if unknown."""

    position: int | None


@dataclass(frozen=True, slots=True)
class InProgress:
    """The request is running and can no longer be cancelled."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The request has ended; only its result tells how, even if `is_failed` is set."""

    is_failed: bool = False
    is_rejected: bool = False
    """Whether the status gives the prompt as the reason; the result can lack one."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The request was cancelled while it was queued."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """An undocumented status; `text` is its word, cut to 40 characters."""

    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """The request succeeded; `urls` are its files in order, at least one, without duplicates."""

    urls: tuple[str, ...]


Status: TypeAlias = InQueue | InProgress | Completed | Cancelled | Unknown

# Matched against what `_normalize_status` returns.
_QUEUED = re.compile(r"inqueue|queued|pending|waiting|scheduled|submitted|created")
_RUNNING = re.compile(r"inprogress|starting|started|processing|running|generating|working")
_SUCCEEDED = re.compile(
    r"succeed(?:ed)?|success(?:ful)?|completed?(?:with\w+)?|done|finish(?:ed)?|ended|ready"
)
# Includes words for what failed, or why. If the result contradicts the status, the result counts.
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


_Text = Annotated[str | None, StringConstraints(strip_whitespace=True), WrapValidator(_none_if_invalid)]
_Position = Annotated[int | None, Field(ge=0, le=1_000_000), WrapValidator(_none_if_invalid)]
_Usd = Annotated[Decimal | None, Field(ge=0, le=10_000), WrapValidator(_none_if_invalid)]


class _Fields(BaseModel):
    """The fields that the bot reads; an invalid one counts as missing."""

    status: _Text = None
    outcome: _Text = None
    queue_position: _Position = None
    output: JsonValue = None
    cost: _Usd = None


class _ModelFields(BaseModel):
    """The fields of a model's entry in the catalogue; an invalid one counts as missing."""

    model_id: _Text = None
    display_name: _Text = None
    input_schema: Annotated[Json | None, WrapValidator(_none_if_invalid)] = None
    base_price_usd: _Usd = None
    price_unit: _Text = None
    pricing_note: _Text = None
    categories: Annotated[list[str] | None, WrapValidator(_none_if_invalid)] = None


_BODY: Final[TypeAdapter[Json]] = TypeAdapter(Json)


async def read_body(
    content: aiohttp.StreamReader, echo_bytes: int = 0, large_slots: asyncio.Semaphore | None = None
) -> Json | None:
    """Read a JSON object of any content type; return None if it is not one, or too large.

    It can have 1 MiB, and `echo_bytes` more if it repeats what was sent. One of more than 1 MiB is read while
    holding a slot of `large_slots`.
    """
    raw = bytearray()
    async with AsyncExitStack() as stack:
        is_large = False
        async for chunk in content.iter_any():
            raw += chunk
            if len(raw) > _BODY_MAX + echo_bytes:
                return None
            if len(raw) > _BODY_MAX and large_slots and not is_large:
                is_large = True
                await stack.enter_async_context(large_slots)
        try:
            return _BODY.validate_json(raw)
        except ValueError:
            return None


def parse_error_code(body: Json) -> int | None:
    """Read the numeric `error_code` of a body, at its top or under `error`, or return None."""
    nested = body.get("error")
    for place in (body, nested if isinstance(nested, dict) else {}):
        code = place.get("error_code")
        if isinstance(code, int | str) and re.fullmatch(r"\d{1,9}", str(code), re.ASCII):
            return int(code)
    return None


def parse_request_id(body: Json) -> str:
    """Read the id of a new request.

    Raises:
        ValueError: It is missing, or unsafe in a URL path.
    """
    request_id = body.get("request_id")
    if not isinstance(request_id, str) or not REQUEST_ID.fullmatch(request_id):
        raise ValueError("no usable request_id")
    return request_id


def parse_status(body: Json) -> Status:
    """Read the status of a request.

    Raises:
        ValueError: The body has no status.
    """
    fields, word = _read_status(body)
    if _QUEUED.fullmatch(word):
        return InQueue(fields.queue_position)
    if _RUNNING.fullmatch(word):
        return InProgress()
    if _CANCELLED.fullmatch(word):
        return Cancelled()
    if _SUCCEEDED.fullmatch(word):
        return Completed(is_rejected=is_prompt_rejection(body))
    if _FAILED.fullmatch(word):
        return Completed(is_failed=True, is_rejected=is_prompt_rejection(body))
    return Unknown((fields.status or "")[:40])


def parse_result(body: Json) -> Result | None:
    """Read the files of a request that succeeded, or return None if it has not ended.

    Raises:
        PromptRefusedError: It has no output, and the reason is the prompt.
        GenerationFailedError: It failed, was cancelled, or succeeded without output.
        ValueError: The body has no status.
    """
    fields, word = _read_status(body)
    if _CANCELLED.fullmatch(word):
        raise GenerationFailedError("the request was cancelled")
    has_succeeded = _SUCCEEDED.fullmatch(word)
    if not has_succeeded and not _FAILED.fullmatch(word):
        return None
    # Only URLs in `output` count: a result can echo the input, with URLs of its own.
    if has_succeeded and (urls := _urls(fields.output)):
        return Result(urls[:_FILES_MAX])
    if is_prompt_rejection(body):
        raise PromptRefusedError("the result gives the prompt as the reason")
    raise GenerationFailedError(f"the request {'succeeded without output' if has_succeeded else 'failed'}")


def parse_cancelled(body: Json) -> bool:
    """Whether RunComfy cancelled the request; if `outcome` and `status` differ, `outcome` is right."""
    answer = _Fields.model_validate(body)
    return _CANCELLED.fullmatch(_normalize_status(answer.outcome or answer.status or "")) is not None


def parse_cost(body: Json) -> Decimal | None:
    """Read the cost of a request in US dollars; None if its result lacks it."""
    return _Fields.model_validate(body).cost


def parse_model(body: Json) -> LiveModel:
    """Read a model's entry in the catalogue; prose is cut to a few hundred characters.

    Raises:
        ValueError: It has neither a schema nor a price, so it is something else.
    """
    fields = _ModelFields.model_validate(body)
    if fields.input_schema is None and fields.base_price_usd is None:
        raise ValueError("not a model's entry")
    return LiveModel(
        model_id=fields.model_id,
        display_name=(fields.display_name or "")[:_NAME_MAX],
        input_schema=fields.input_schema,
        base_price=fields.base_price_usd,
        price_unit=fields.price_unit,
        pricing_note=(fields.pricing_note or "")[:_NOTE_MAX],
        categories=tuple(each[:_NAME_MAX] for each in (fields.categories or ())[:_CATEGORIES_MAX]),
    )


def _read_status(body: Json) -> tuple[_Fields, str]:
    fields = _Fields.model_validate(body)
    if fields.status is None:
        raise ValueError("no status")
    return fields, _normalize_status(fields.status)


def _normalize_status(word: str) -> str:
    """Normalize a status: IN-PROGRESS, "In progress" and JOB_STATE_IN_PROGRESS become "inprogress"."""
    letters = re.sub(r"[\W_]+", "", word).lower()
    return _PREFIX.sub("", letters)


def _urls(output: JsonValue) -> tuple[str, ...]:
    # RunComfy documents `images` and `image`, but the text of that page also allows a string or a list.
    if isinstance(output, dict):
        return _urls(output.get("images")) or _urls(output.get("image"))
    if isinstance(output, str):
        return _urls([output])
    if isinstance(output, list):
        texts = dict.fromkeys(text.strip() for text in output if isinstance(text, str))
        # A text with spaces is a sentence, such as the reason why there is no image.
        return tuple(text for text in texts if text and ("://" in text or not re.search(r"\s", text)))
    return ()
