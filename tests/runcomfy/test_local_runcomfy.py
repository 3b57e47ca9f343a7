"""The local RunComfy behaves as RunComfy documents."""

from __future__ import annotations

import asyncio
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from playground.runcomfy import LocalRunComfy, respond
from playground.runcomfy.requests import GenerationRequest
from tests.runcomfy.caller import Caller
from tests.runcomfy.helpers import MODEL

if TYPE_CHECKING:
    import aiohttp


async def test_responses_for_one_job(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.hold()
    await caller.submit()
    submitted = await caller.submit(num_images=3)
    base = f"{runcomfy.url}/v1/requests/{submitted['request_id']}"
    links = {"status_url": f"{base}/status", "result_url": f"{base}/result"}
    assert submitted == {"request_id": submitted["request_id"], **links, "cancel_url": f"{base}/cancel"}

    same = {"request_id": submitted["request_id"], **links}
    assert await caller.call("GET", links["status_url"]) == (
        200,
        {**same, "status": "in_queue", "queue_position": 2},
    )
    status, result = await caller.call("GET", links["result_url"])
    assert (status, result["status"], "output" in result, "finished_at" in result) == (
        200,
        "in_queue",
        False,
        False,
    )

    runcomfy.start_next()
    assert (await caller.call("GET", links["status_url"]))[1]["queue_position"] == 1
    runcomfy.start_next()
    assert await caller.call("GET", links["status_url"]) == (200, {**same, "status": "in_progress"})

    runcomfy.finish(submitted["request_id"])
    assert await caller.call("GET", links["status_url"]) == (200, {**same, "status": "completed"})
    status, result = await caller.call("GET", links["result_url"] + "?include_cost=true")
    assert (status, result["status"], len(result["output"]["images"])) == (200, "succeeded", 3)
    assert result["cost"] == pytest.approx(0.15)
    assert datetime.fromisoformat(result["created_at"]) < datetime.fromisoformat(result["finished_at"])
    assert result["finished_at"].endswith("+00:00")


async def test_only_the_result_of_a_failed_job_says_so(runcomfy: LocalRunComfy, caller: Caller) -> None:
    submitted = await caller.submit(prompt="do REFUSE it")
    await runcomfy.until(lambda: runcomfy.requests[submitted["request_id"]].finished_at)
    assert (await caller.call("GET", submitted["status_url"]))[1]["status"] == "completed"
    _, result = await caller.call("GET", submitted["result_url"])
    assert result["status"] == "failed"
    assert "safety" in result["error"]
    assert "output" not in result


async def test_only_the_whole_word_refuse_rejects_a_prompt(runcomfy: LocalRunComfy, caller: Caller) -> None:
    submitted = await caller.submit(prompt="a refused refusenik")
    await runcomfy.until(lambda: runcomfy.requests[submitted["request_id"]].finished_at)
    assert (await caller.call("GET", submitted["result_url"]))[1]["status"] == "succeeded"


async def test_cancel(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.hold()
    running, queued = await caller.submit(), await caller.submit()
    runcomfy.start_next()
    same = {"request_id": running["request_id"]}
    assert await caller.call("POST", running["cancel_url"]) == (
        202,
        {**same, "status": "in_progress", "outcome": "not_cancellable"},
    )
    for _ in range(2):
        status, body = await caller.call("POST", queued["cancel_url"])
        assert (status, body["status"], body["outcome"]) == (202, "cancelled", "cancelled")
    assert (await caller.call("GET", queued["status_url"]))[1]["status"] == "cancelled"
    assert (await caller.call("GET", queued["result_url"]))[1]["status"] == "cancelled"


async def test_workers_limit_concurrency(session: aiohttp.ClientSession) -> None:
    async with LocalRunComfy(workers=2, seconds=0.01) as runcomfy:
        caller = Caller(runcomfy, session)
        most = 0

        def observe() -> bool:
            nonlocal most
            states = [request.state for request in runcomfy.requests.values()]
            most = max(most, states.count("in_progress"))
            return states == ["succeeded"] * 7

        await asyncio.gather(*(caller.submit() for _ in range(7)))
        await runcomfy.until(observe)
        assert most == 2


async def test_hold_and_release(session: aiohttp.ClientSession) -> None:
    async with LocalRunComfy(workers=1, seconds=0) as runcomfy:
        caller = Caller(runcomfy, session)
        runcomfy.hold()
        submitted = [await caller.submit() for _ in range(3)]
        runcomfy.start_next()
        first = runcomfy.requests[submitted[0]["request_id"]]
        with pytest.raises(TimeoutError):
            await runcomfy.until(lambda: first.finished_at, timeout=0.05)
        runcomfy.release()
        await runcomfy.until(lambda: all(request.finished_at for request in runcomfy.requests.values()))


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompt": None},
        {"prompt": 3},
        {"prompt": " \n"},
        {"num_images": 0},
        {"num_images": 5},
        {"num_images": "2"},
        {"num_images": 1.5},
        {"num_images": True},
        {"aspect_ratio": "4:1"},
        {"resolution": "8K"},
        {"output_format": "jpg"},
        {"safety_tolerance": 7},
        {"safety_tolerance": "4"},
        {"limit_generations": "true"},
    ],
)
async def test_input_that_violates_the_schema(
    runcomfy: LocalRunComfy, caller: Caller, wrong: dict[str, object]
) -> None:
    status, body = await caller.call("POST", f"/v1/models/{MODEL}", {"prompt": "a fox", **wrong})
    assert (status, body["error_code"]) == (422, 422001)
    assert [problem["loc"] for problem in body["detail"]] == list(wrong) * len(body["detail"])
    assert not runcomfy.requests
    assert len(runcomfy.submits) == 1


@pytest.mark.parametrize("body", [None, [], "text", 3, {}])
async def test_input_that_is_no_object(caller: Caller, body: object) -> None:
    assert (await caller.call("POST", f"/v1/models/{MODEL}", body))[0] == 422


async def test_unknown_keys_are_accepted(runcomfy: LocalRunComfy, caller: Caller) -> None:
    await caller.submit(number_of_images=2)
    assert runcomfy.submits[0].input == {"prompt": "a fox", "number_of_images": 2}


@pytest.mark.parametrize(
    ("profile", "statuses"), [("docs", (400, 400, 404, 403)), ("http", (401, 404, 404, 403))]
)
async def test_error_responses(
    session: aiohttp.ClientSession, profile: Any, statuses: tuple[int, ...]
) -> None:
    async with LocalRunComfy(profile=profile) as runcomfy:
        caller = Caller(runcomfy, session)
        runcomfy.inject_fault("cancel", runcomfy.error_fault("foreign"))
        answers = [
            await caller.call("GET", "/v1/models", token="other"),  # noqa: S106 (it is no secret)
            await caller.call("POST", "/v1/models/google/none", {}),
            await caller.call("GET", "/v1/requests/none/status"),
            await caller.call("POST", "/v1/requests/none/cancel"),
        ]
    assert tuple(status for status, _ in answers) == statuses
    codes = [body.get("error_code") for _, body in answers]
    assert codes == ([400004, 400001, 404001, 403001] if profile == "docs" else [None] * 4)


async def test_catalogue(caller: Caller) -> None:
    status, entry = await caller.call("GET", f"/v1/models/{MODEL}")
    assert (status, entry["price_unit"], entry["input_schema"]["required"]) == (200, "output", ["prompt"])
    assert entry["base_price_usd"] > 0
    _, page = await caller.call("GET", "/v1/models?search=BANANA&category=text-to-image&kind=model&limit=1")
    assert page["total"] >= len(page["models"]) == 1
    assert "input_schema" not in page["models"][0]
    _, page = await caller.call("GET", "/v1/models?include_schema=true")
    assert entry in page["models"]
    assert (await caller.call("GET", "/v1/models?search=none"))[1] == {"models": [], "total": 0}
    assert "text-to-image" in (await caller.call("GET", "/v1/models/categories"))[1]["categories"]


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_files_have_the_requested_format_and_size(
    runcomfy: LocalRunComfy, caller: Caller, kind: str
) -> None:
    submitted = await caller.submit(
        num_images=2, resolution="0.5K", aspect_ratio="16:9", output_format=kind, seed=5
    )
    await runcomfy.until(lambda: runcomfy.requests[submitted["request_id"]].finished_at)
    urls = (await caller.call("GET", submitted["result_url"]))[1]["output"]["images"]
    first, second = [await caller.picture(url) for url in urls]
    for data, response in (first, second):
        assert response.content_type == f"image/{kind}"
        assert response.content_length == len(data)
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            assert (image.format, image.size) == (kind.upper(), (680, 384))
    assert first[0] != second[0]
    assert (await caller.picture(urls[0]))[0] == first[0], "an address keeps its picture"
    assert not runcomfy.leaks


async def test_unknown_file(runcomfy: LocalRunComfy, caller: Caller) -> None:
    _, response = await caller.picture(f"{runcomfy.url}/files/a/none/0_output.png")
    assert response.status == 404


async def test_faults_apply_in_turn_and_can_be_removed(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.inject_fault("models", respond(500, {}))
    runcomfy.inject_fault("models", respond(503, {}, headers={"Retry-After": "2"}), times=2)
    statuses = [(await caller.call("GET", "/v1/models"))[0] for _ in range(4)]
    assert statuses == [500, 503, 503, 200]
    runcomfy.inject_fault("models", respond(429, {}), times=None)
    assert [(await caller.call("GET", "/v1/models"))[0] for _ in range(3)] == [429] * 3
    runcomfy.clear_faults("models")
    assert (await caller.call("GET", "/v1/models"))[0] == 200


async def test_fault_can_echo_the_token(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.inject_fault("models", respond(500, {"message": "you sent {token}"}))
    assert (await caller.call("GET", "/v1/models"))[1] == {"message": f"you sent {runcomfy.token}"}


async def test_request_kept_by_an_older_version_continues(runcomfy: LocalRunComfy, caller: Caller) -> None:
    request = GenerationRequest.__new__(GenerationRequest)
    kept = {"model_id": MODEL, "input": {"prompt": "a fox"}, "request_id": "1", "state": "in_progress"}
    request.__setstate__({**kept, "error": None, "created_at": "", "finished_at": None})
    runcomfy.queue.restore([request])
    result = await caller.result({"request_id": "1", "result_url": f"{runcomfy.url}/v1/requests/1/result"})
    assert (result["status"], len(result["output"]["images"])) == ("succeeded", 1)
