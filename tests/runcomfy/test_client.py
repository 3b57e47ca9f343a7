"""The client against the local RunComfy, over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.errors import (
    BotError,
    GenerationFailedError,
    PromptRefusedError,
    RunComfyUnavailableError,
)
from bot.runcomfy.responses import Cancelled, Completed, InProgress, InQueue, Unknown
from playground.runcomfy import LocalRunComfy, edit_json, reset, respond
from tests.runcomfy.helpers import FOX, MODEL, finished_request, routes

if TYPE_CHECKING:
    from bot.runcomfy.client import RunComfyClient


async def test_job_from_submit_to_files(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.hold()
    first, second, third = [await client.submit(MODEL, FOX) for _ in range(3)]
    assert [await client.status(i) for i in (first, second, third)] == [InQueue(1), InQueue(2), InQueue(3)]
    assert runcomfy.start_next() == first
    assert [await client.status(i) for i in (first, third)] == [InProgress(), InQueue(2)]
    with pytest.raises(RunComfyUnavailableError, match="no result yet"):
        await client.result(first)
    runcomfy.finish(first)
    assert await client.status(first) == Completed()
    result = await client.result(first)
    assert len(result.urls) == 1
    assert [submit.input for submit in runcomfy.submits] == [FOX] * 3


async def test_failed_job_is_completed_and_has_no_result(
    runcomfy: LocalRunComfy, client: RunComfyClient
) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.start_next()
    runcomfy.finish(request_id, error="out of memory")
    assert await client.status(request_id) == Completed()
    with pytest.raises(GenerationFailedError):
        await client.result(request_id)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("worker died", GenerationFailedError),
        ({"code": "E1", "message": "worker died", "details": {}}, GenerationFailedError),
        (None, GenerationFailedError),
        ("Blocked by the SAFETY filter", PromptRefusedError),
        ({"code": "CONTENT_POLICY", "details": {}}, PromptRefusedError),
        ({"message": "flagged by moderation"}, PromptRefusedError),
        ("model refused the prompt", PromptRefusedError),
        ({"error_message": ["prohibited content"]}, PromptRefusedError),
        ("Sensitive words", PromptRefusedError),
    ],
)
async def test_reason_of_a_failure(
    runcomfy: LocalRunComfy, client: RunComfyClient, error: Any, expected: type[BotError]
) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault(
        "result", edit_json(lambda body: (body.pop("output"), body.update(status="failed", error=error)))
    )
    with pytest.raises(expected) as caught:
        await client.result(request_id)
    assert type(caught.value) is expected


async def test_local_runcomfy_rejects_a_prompt(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await finished_request(runcomfy, client, prompt="please refuse this")
    with pytest.raises(PromptRefusedError):
        await client.result(request_id)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("succeeded", Completed()),
        *((word, Completed()) for word in ("success", "Done", "FINISHED", "complete", "JOB_STATE_SUCCEEDED")),
        *((word, Completed()) for word in ("succeed", "TASK_SUCCEEDED", "completed_with_errors")),
        *(
            (word, Completed(is_failed=True))
            for word in (
                *("FAILED", "error", "Errored", "failure", "timeout", "TIMED_OUT", "timed-out", "timedOut"),
                *("expired", "rejected", "aborted", " Error ", "STATUS_FAILED"),
                *("job_failed", "internal_error", "Task not found", "exception", "failed: out of memory"),
                *("failed_permanently", "denied", "generation failure", "ERROR (500)"),
            )
        ),
        *(
            (word, Completed(is_failed=True, is_rejected=True))
            for word in ("content_policy_violation", "moderation_blocked", "failed: NSFW content")
        ),
        ("Content Moderated", Completed(is_failed=True, is_rejected=True)),
        ("canceled", Cancelled()),
        ("Cancelled", Cancelled()),
        ("cancelled_by_user", Cancelled()),
        ("pending", InQueue(None)),
        ("waiting", InQueue(None)),
        ("queued", InQueue(None)),
        ("starting", InProgress()),
        ("processing", InProgress()),
        ("running", InProgress()),
        ("generating", InProgress()),
        ("job_running", InProgress()),
        ("IN-PROGRESS", InProgress()),
        ("In progress", InProgress()),
        ("IN_QUEUE", InQueue(None)),
        ("inQueue", InQueue(None)),
        ("dreaming", Unknown("dreaming")),
        ("cancelling", Unknown("cancelling")),
        ("retrying_after_error", Unknown("retrying_after_error")),
        ("recovering from failure", Unknown("recovering from failure")),
        ("", Unknown("")),
        ("完了", Unknown("完了")),
    ],
)
async def test_status_words(
    runcomfy: LocalRunComfy, client: RunComfyClient, status: str, expected: object
) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("status", edit_json(lambda body: body.update(status=status)))
    assert await client.status(request_id) == expected


@pytest.mark.parametrize("position", ["soon", None, [3], 1.5])
async def test_invalid_queue_position_is_ignored(
    runcomfy: LocalRunComfy, client: RunComfyClient, position: object
) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.inject_fault("status", edit_json(lambda body: body.update(queue_position=position)))
    assert await client.status(request_id) == InQueue(None)


@pytest.mark.parametrize(
    ("output", "urls"),
    [
        ({"images": ["a", "b"]}, ("a", "b")),
        ({"images": ["a", "b", "a"], "image": "c"}, ("a", "b")),
        ({"image": "a"}, ("a",)),
        ({"images": [], "image": "a"}, ("a",)),
        ({"images": list("abcdefghijkl")}, tuple("abcdefghij")),
        ({"images": ["", None, 3, "a"]}, ("a",)),
        ({"image": ["a", "a"]}, ("a",)),
        ("a", ("a",)),
        (["a", "a", "b"], ("a", "b")),
        ({"images": []}, None),
        ({"video": "a"}, None),
        ({}, None),
        ("", None),
        (None, None),
    ],
)
async def test_forms_of_output(
    runcomfy: LocalRunComfy, client: RunComfyClient, output: Any, urls: tuple[str, ...] | None
) -> None:
    request_id = await finished_request(runcomfy, client)
    stray = {"image_urls": ["http://elsewhere/input.png"]}
    runcomfy.inject_fault(
        "result", edit_json(lambda body: body.update(output=output, input=stray, image="stray"))
    )
    if urls is None:
        with pytest.raises(GenerationFailedError, match="without output"):
            await client.result(request_id)
    else:
        assert (await client.result(request_id)).urls == urls


@pytest.mark.parametrize("status", ["completed", "SUCCEEDED", "success", "Done", "finished"])
async def test_result_words_for_success(runcomfy: LocalRunComfy, client: RunComfyClient, status: str) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", edit_json(lambda body: body.update(status=status)))
    assert len((await client.result(request_id)).urls) == 1


@pytest.mark.parametrize(
    "status", ["error", "Errored", "timeout", "timed_out", "EXPIRED", "rejected", "aborted"]
)
async def test_result_words_for_failure(runcomfy: LocalRunComfy, client: RunComfyClient, status: str) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", respond(200, {"status": status}))
    with pytest.raises(GenerationFailedError):
        await client.result(request_id)


async def test_undocumented_word_means_no_result_yet(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", edit_json(lambda body: body.update(status="dreaming")))
    with pytest.raises(RunComfyUnavailableError, match="no result yet"):
        await client.result(request_id)


async def test_success_without_an_output_key(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    request_id = await finished_request(runcomfy, client)
    runcomfy.inject_fault("result", edit_json(lambda body: body.pop("output")))
    with pytest.raises(GenerationFailedError):
        await client.result(request_id)


async def test_cancel_a_queued_and_a_running_job(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.hold()
    running, queued = await client.submit(MODEL, FOX), await client.submit(MODEL, FOX)
    runcomfy.start_next()
    assert not await client.cancel(running)
    assert await client.cancel(queued)
    assert await client.cancel(queued), "cancelling twice is harmless"
    assert await client.status(queued) == Cancelled()
    with pytest.raises(GenerationFailedError, match="cancelled"):
        await client.result(queued)
    runcomfy.finish(running)
    assert not await client.cancel(running)
    assert (await client.result(running)).urls


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"status": "completed", "outcome": "cancelled"}, True),
        ({"status": "cancelled", "outcome": "not_cancellable"}, False),
        ({"status": "canceled"}, True),
        ({"status": "cancelled", "outcome": None}, True),
        ({"outcome": "CANCELED"}, True),
        ({"status": "in_progress"}, False),
        ({"outcome": {"x": 1}}, False),
        ({}, False),
    ],
)
async def test_outcome_of_a_cancel_counts(
    runcomfy: LocalRunComfy, client: RunComfyClient, body: dict[str, Any], *, expected: bool
) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.inject_fault("cancel", respond(202, body))
    assert await client.cancel(request_id) is expected


async def test_cancel_is_retried(runcomfy: LocalRunComfy, client: RunComfyClient) -> None:
    runcomfy.hold()
    request_id = await client.submit(MODEL, FOX)
    runcomfy.inject_fault("cancel", reset(is_after=True))
    assert await client.cancel(request_id)
    assert routes(runcomfy).count("cancel") == 2
