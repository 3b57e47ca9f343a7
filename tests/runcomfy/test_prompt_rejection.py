"""Rejected prompts are recognized by many words and fields."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import BotError, GenerationFailedError, PromptRefusedError, RunComfyAuthError
from bot.runcomfy.prompt_rejection import is_prompt_rejection
from bot.runcomfy.responses import Completed
from playground.runcomfy import LocalRunComfy, edit_json, respond
from tests.runcomfy.helpers import FOX, MODEL, finished_request, routes

if TYPE_CHECKING:
    from bot.runcomfy.client import RunComfyClient

REFUSALS: list[Any] = [
    "blocked by safety filter: PROHIBITED_CONTENT",
    "PROHIBITED_CONTENT",
    "SAFETY",
    "IMAGE_SAFETY",
    "finish_reason: IMAGE_PROHIBITED_CONTENT",
    "RECITATION",
    "ImageRecitation",
    "BLOCKLIST",
    "content_policy_violation",
    "moderation_blocked",
    "Request Moderated",
    "Content Moderated",
    "CONTENT_FILTERED",
    "contentFilter",
    "ResponsibleAIPolicyViolation",
    "NSFW content detected. Try running it again, or try a different prompt.",
    "The input or output was flagged as sensitive. (E005)",
    "OutputImageSensitiveContentDetected",
    "Sensitive words",
    "Your request was rejected as a result of our safety system.",
    "Your prompt was blocked.",
    "The model refused this prompt",
    "prompt rejected",
    "The prompt was rejected by the provider",
    "This image violates our usage guidelines",
    "The output violates the provider's terms of service",
    "It may contain inappropriate content",
    "the input contains harmful content",
    "Failure to pass the risk control system",
    "The prompt is not allowed",
    "blocked",
    "flagged",
    "prohibited",
    "policy violation",
    "Image could not be generated due to safety concerns",
    "Failed to generate image: blocked for safety reasons",
    "Unable to process your request: it was flagged by our safety system",
    "The request was blocked because of its content",
    "This type of content is prohibited",
    "We couldn't generate the image because it may violate our policies",
    "The request goes against our content restrictions",
    "Not generated due to our usage policies",
    "It depicts a public figure",
    {"text": "Blocked by the safety filter"},
    {"message": "Blocked by the safety filter"},
    {"code": "CONTENT_POLICY", "details": {}},
    {"code": 422, "reason": {"type": "moderation"}},
    {"type": "content_policy_violation", "msg": "see docs"},
    {"detail": [{"loc": ["body", "prompt"], "type": "content_policy_violation"}]},
    [{"message": "first try failed"}, {"message": "NSFW"}],
    '{"error": {"message": "Blocked by moderation"}}',
    {"message": "generation failed", "innererror": {"code": "SAFETY"}},
]

FAILURES: list[Any] = [
    None,
    "",
    "worker died",
    "out of memory",
    "filter server timeout",
    "content filter timed out",
    "safety checker failed to load",
    "safety checker unavailable",
    "moderation service unavailable",
    "blocked by firewall",
    "request blocked by proxy",
    "content-type not allowed",
    "content type prohibited",
    "method not allowed",
    "connection refused",
    "Connection refused by 10.0.0.1:443",
    "the worker refused the job",
    "request rejected: queue is full",
    "rejected: too many requests",
    "retry policy exhausted",
    "internal error; see our refund policy",
    "safety_tolerance must be at most 6",
    "user is blocked",
    "input url blocked",
    "value violates the pattern",
    "operation prohibited",
    "moderation model could not be loaded",
    "rate limit policy exceeded",
    "IAM policy denies access",
    "CORS policy",
    "bucket policy prohibits access",
    "violates unique constraint jobs_pkey",
    "access violation at 0x0",
    "memory access violation",
    "keys are case-sensitive",
    "sensitive header removed",
    "unsafe pickle in checkpoint",
    "blocking call took too long",
    "thread blocked on lock",
    "deadlock: process blocked",
    "insufficient balance",
    "Invalid aspect ratio for prompt 'a police safety poster about content policy'",
    {"code": "E1", "message": "worker died", "details": {"prompt": "nsfw, prohibited content"}},
    {"code": 500, "message": "internal", "input": {"prompt": "a moderation office"}},
    {"message": "upstream is down", "safety_tolerance": 4},
    {"blockReason": "BLOCK_REASON_UNSPECIFIED"},
    {"finishReason": "STOP"},
    {"finish_reason": "MAX_TOKENS"},
    {"nsfw": False, "flagged": False, "blocked": False},
    {"is_image_safe": True},
]


@pytest.mark.parametrize("reason", REFUSALS, ids=str)
def test_rejections(reason: Any) -> None:
    assert is_prompt_rejection({"status": "failed", "error": reason})


@pytest.mark.parametrize("reason", FAILURES, ids=str)
def test_other_failures(reason: Any) -> None:
    assert not is_prompt_rejection({"status": "failed", "error": reason})


@pytest.mark.parametrize(
    "body",
    [
        {"error": "SAFETY"},
        {"error_message": "Blocked by moderation"},
        {"errorMessage": "Blocked by moderation"},
        {"error_code": "content_policy_violation"},
        {"code": "PROHIBITED_CONTENT"},
        {"message": "Blocked by moderation"},
        {"detail": "Blocked by moderation"},
        {"reason": "nsfw"},
        {"failure_reason": "nsfw"},
        {"failureReason": "nsfw"},
        {"status_reason": "nsfw"},
        {"errors": ["nsfw"]},
        {"warnings": [{"message": "nsfw"}]},
        {"finish_reason": "SAFETY"},
        {"output": {"images": [], "error": "SAFETY"}},
        {"output": {"images": [{"finishReason": "IMAGE_SAFETY"}]}},
        {"output": {"images": [{"url": None, "error": {"message": "nsfw"}}]}},
        {"output": {"candidates": [{"finishReason": "RECITATION"}]}},
        {"output": {"promptFeedback": {"blockReason": "OTHER"}}},
        {"output": {"raiFilteredReason": "58061214"}},
        {"output": {"has_nsfw_concepts": [False, True]}},
        {"output": {"images": [{"is_image_safe": False}]}},
        {"output": {"flagged": True}},
        {"output": "The prompt was blocked by the safety filter"},
        {"output": ["NSFW content detected"]},
        {"result": {"error": "SAFETY"}},
        {"data": {"failed": {"reason": "moderated"}}},
    ],
    ids=str,
)
def test_fields_with_a_rejection(body: dict[str, Any]) -> None:
    assert is_prompt_rejection({"status": "failed", **body})


@pytest.mark.parametrize(
    "body",
    [
        {"input": {"prompt": "nsfw"}},
        {"prompt": "prohibited content"},
        {"output": {"images": ["https://example.com/nsfw/safety-filter.png"]}},
        {"output": {"revised_prompt": "nsfw"}},
        {"model_id": "someone/nsfw-model"},
        {"logs": "safety checker: no nsfw"},
        {"request_id": "SAFETY"},
    ],
    ids=str,
)
def test_fields_without_a_rejection(body: dict[str, Any]) -> None:
    assert not is_prompt_rejection({"status": "failed", **body})


def test_depth_and_length_are_limited() -> None:
    deep: Any = "SAFETY"
    for _ in range(5000):
        deep = {"error": deep}
    assert not is_prompt_rejection({"error": deep})
    assert not is_prompt_rejection({"error": "x" * 1_000_000})
    assert is_prompt_rejection({"error": [*(["x"] * 199), "SAFETY"]})
    assert not is_prompt_rejection({"error": [*(["x"] * 200), "SAFETY"]})


def test_adverse_answer_does_not_block_the_event_loop() -> None:
    answer: Any = {"error": ["prompt “" * 250] * 400}  # about 1 MiB, the most that is read of an answer
    began = time.thread_time()
    assert not is_prompt_rejection(answer)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "status", ["succeeded", "completed", "failed", "error", "rejected", "Content Moderated"]
)
@pytest.mark.parametrize("output", [{"images": []}, None, {}])
async def test_result_without_images_is_searched(
    runcomfy: LocalRunComfy, client: RunComfyClient, status: str, output: Any
) -> None:
    request_id = await finished_request(runcomfy, client)
    body: dict[str, Any] = {
        "status": status,
        "output": output,
        "error": "blocked by safety filter: PROHIBITED_CONTENT",
    }
    runcomfy.inject_fault("result", edit_json(lambda good: good.update(body)))
    with pytest.raises(PromptRefusedError):
        await client.result(request_id)


@pytest.mark.parametrize("word", ["failed", "completed", "Error"])
async def test_reason_in_the_status_only(runcomfy: LocalRunComfy, client: RunComfyClient, word: str) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault(
        "status", edit_json(lambda body: body.update(status=word, error={"code": "PROHIBITED_CONTENT"}))
    )
    runcomfy.inject_fault("result", respond(200, {"status": "failed"}))
    status = await client.status(request_id)
    assert isinstance(status, Completed)
    with pytest.raises(PromptRefusedError):
        await client.result(request_id, status)


@pytest.mark.parametrize("reason", ["blocked", "Access violates your plan", "account flagged"])
async def test_http_403_needs_an_unambiguous_phrase(
    runcomfy: LocalRunComfy, client: RunComfyClient, reason: str
) -> None:
    runcomfy.inject_fault("submit", respond(403, {"error": reason}))
    with pytest.raises(RunComfyAuthError):
        await client.submit(MODEL, FOX)


async def test_result_with_images_is_not_searched(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault(
        "result", edit_json(lambda good: good.update(error="1 of 2 images blocked: SAFETY"))
    )
    assert (await client.result(request_id)).urls


@pytest.mark.parametrize("http_status", [200, 400, 403, 422, 451])
@pytest.mark.parametrize("route", ["submit", "result"])
async def test_rejection_with_an_error_code_or_an_http_status(
    runcomfy: LocalRunComfy, client: RunComfyClient, route: str, http_status: int
) -> None:
    body: dict[str, Any] = {
        "status": "failed",
        "error_code": "content_policy_violation",
        "error_message": "blocked",
    }
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault(route, respond(http_status, body))
    with pytest.raises(PromptRefusedError):
        await (client.submit(MODEL, FOX) if route == "submit" else client.result(request_id))
    assert routes(runcomfy).count(route) == 1 + (route == "submit")


async def test_failure_with_an_error_code_ends_the_request(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", respond(200, {"status": "failed", "error_code": 500123}))
    expected: type[BotError] = GenerationFailedError
    with pytest.raises(expected):
        await client.result(request_id)
