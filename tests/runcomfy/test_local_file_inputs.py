"""The local RunComfy takes pictures as data URIs and fetches URLs, as the real one does."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from playground.discord import LocalDiscord, UploadedFile
from playground.discord.transport import LOOPBACK, serve_app
from playground.runcomfy import LocalRunComfy
from playground.runcomfy.catalogue import catalogue_entry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.runcomfy.caller import Caller

EDIT = "test/brush/edit"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["prompt", "image_urls"],
    "properties": {
        "prompt": {"type": "string"},
        "image_urls": {
            "type": "array",
            "format": "image_uris",
            "items": {"type": "string", "format": "image_uri"},
            "minItems": 1,
            "maxItems": 3,
        },
        "mask_url": {
            "type": "string",
            "format": "image_uri",
            "validations": [
                {"validation_rule": "file_size_mb<", "validation_value": 1, "validation_error": "Too large."}
            ],
        },
        "strength": {"type": "float", "minimum": 0, "maximum": 1},
    },
}


def picture(kind: str = "PNG", size: tuple[int, int] = (60, 40)) -> bytes:
    Image.new("RGB", size, "#3b6ea8").save(file := io.BytesIO(), kind)
    return file.getvalue()


def data_uri(data: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@pytest.fixture
async def runcomfy() -> AsyncIterator[LocalRunComfy]:
    async with LocalRunComfy(workers=1, seconds=0) as local:
        local.catalogue[EDIT] = catalogue_entry(EDIT, SCHEMA)
        yield local


class Host:
    """A file host; `/{status}` answers with that status, `/picture` with a picture."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[web.Request] = []

    async def serve(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        match request.match_info["name"]:
            case "picture":
                return web.Response(body=picture())
            case "text":
                return web.Response(text="<html>please log in</html>")
            case "slow":
                await asyncio.Event().wait()
            case "moved":
                return web.Response(status=302, headers={"Location": f"{self.url}/picture"})
        return web.Response(status=int(request.match_info["name"]))


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host, app = Host(), web.Application()
    app.router.add_get("/{name}", host.serve)
    async with serve_app(app) as port:
        host.url = f"http://{LOOPBACK}:{port}"
        yield host


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_data_uris_are_decoded(runcomfy: LocalRunComfy, caller: Caller, kind: str) -> None:
    sent = [picture(kind, (60, 40)), picture(kind, (40, 60))]
    result = await caller.result(
        await caller.submit(EDIT, image_urls=[data_uri(each, kind) for each in sent], strength=0.5)
    )
    assert result["status"] == "succeeded"
    (submit,) = runcomfy.submits
    assert submit.pictures == sent
    assert submit.options == {"prompt": "a fox", "strength": 0.5}


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("image_urls/0", {"image_urls": ["data:image/png;base64,!!!!"]}),
        ("image_urls/0", {"image_urls": ["data:image/png,raw"]}),
        ("image_urls/1", {"image_urls": [data_uri(picture()), data_uri(picture(), "gif")]}),
        ("image_urls/0", {"image_urls": [data_uri(picture("JPEG"), "png")]}),
        ("image_urls/0", {"image_urls": [data_uri(b"text")]}),
        ("image_urls/0", {"image_urls": ["ftp://example.com/a.png"]}),
        ("image_urls", {"image_urls": []}),
        ("image_urls", {"image_urls": [data_uri(picture())] * 4}),
        ("mask_url", {"image_urls": [data_uri(picture())], "mask_url": "a.png"}),
        ("mask_url", {"image_urls": [data_uri(picture())], "mask_url": data_uri(picture() + bytes(10**6))}),
        ("strength", {"image_urls": [data_uri(picture())], "strength": "much"}),
    ],
)
async def test_wrong_files_are_refused_at_submit(
    runcomfy: LocalRunComfy, caller: Caller, place: str, wrong: dict[str, object]
) -> None:
    status, body = await caller.call("POST", f"/v1/models/{EDIT}", {"prompt": "a fox", **wrong})
    assert (status, [problem["loc"] for problem in body["detail"]]) == (422, [place])
    assert len(json.dumps(body)) < 1000
    assert not runcomfy.requests


async def test_file_above_50_megabytes_is_refused(caller: Caller) -> None:
    large = data_uri(picture() + bytes(50_000_000 - len(picture()) + 1))
    status, body = await caller.call("POST", f"/v1/models/{EDIT}", {"prompt": "x", "image_urls": [large]})
    assert (status, body["detail"]) == (
        422,
        [{"loc": "image_urls/0", "msg": "File size must be less than 50 MB."}],
    )


async def test_streamed_body_up_to_64_mebibytes(
    runcomfy: LocalRunComfy, session: aiohttp.ClientSession
) -> None:
    def body(size: int) -> AsyncIterator[bytes]:
        text = json.dumps({"prompt": "x", "image_urls": [data_uri(picture())]}).encode()

        async def pieces() -> AsyncIterator[bytes]:
            yield text
            for _ in range(size - len(text), 2**20, -(2**20)):
                yield b" " * 2**20
            yield b" " * ((size - len(text) - 1) % 2**20 + 1)

        return pieces()

    headers = {"Authorization": f"Bearer {runcomfy.token}"}
    for size, expected in ((64 * 2**20, 200), (64 * 2**20 + 1, 413)):
        async with session.post(
            f"{runcomfy.url}/v1/models/{EDIT}", data=body(size), headers=headers
        ) as response:
            assert response.status == expected
    assert len(runcomfy.submits) == 2
    assert len(runcomfy.requests) == 1


async def test_urls_are_fetched_once_the_request_runs(
    runcomfy: LocalRunComfy, caller: Caller, host: Host
) -> None:
    runcomfy.hold()
    submitted = await caller.submit(
        EDIT, image_urls=[data_uri(picture("PNG", (9, 9))), f"{host.url}/picture"]
    )
    assert host.requests == []
    request = runcomfy.requests[runcomfy.start_next()]
    await runcomfy.until(lambda: all(each.data for each in request.pictures))
    assert [each.data for each in request.pictures] == [picture("PNG", (9, 9)), picture()]
    (fetched,) = host.requests
    assert not {"Authorization", "Cookie"} & fetched.headers.keys()
    assert request.state == "in_progress"
    runcomfy.release()
    assert (await caller.result(submitted))["status"] == "succeeded"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("403", "403 Forbidden"),
        ("404", "404 Not Found"),
        ("moved", "302 Found"),
        ("slow", "timed out"),
        ("text", "cannot identify image file"),
    ],
)
async def test_request_fails_if_its_picture_cannot_be_fetched(
    runcomfy: LocalRunComfy, caller: Caller, host: Host, name: str, reason: str
) -> None:
    runcomfy.fetcher.seconds = 0.2 if name == "slow" else 10
    result = await caller.result(await caller.submit(EDIT, image_urls=[f"{host.url}/{name}"]))
    assert (result["status"], result["cost"]) == ("failed", 0)
    assert result["error"] == f"Failed to download {host.url}/{name}: {reason}"
    assert len(host.requests) == 1
    assert (await caller.result(await caller.submit()))["status"] == "succeeded", "the worker is free again"


@pytest.mark.parametrize("url", ["http://10.0.0.1/a.png", "https://example.com/a.png", "http://2130706433/a"])
async def test_only_loopback_is_fetched(caller: Caller, url: str) -> None:
    result = await caller.result(await caller.submit(EDIT, image_urls=[url]))
    assert result["error"].endswith("no route to host")


async def test_links_of_the_local_discord_are_fetched(
    runcomfy: LocalRunComfy, caller: Caller, tmp_path: Path
) -> None:
    async with LocalDiscord(tmp_path) as discord:
        runcomfy.fetcher.connect = discord.connector
        file = discord.cdn.add("1", UploadedFile("fox.png", picture()))
        local = file["url"].replace("cdn.discordapp.com", discord.cdn_host)
        for url in (file["url"], file["proxy_url"], local):
            assert (await caller.result(await caller.submit(EDIT, image_urls=[url])))["status"] == "succeeded"
        unsigned = file["url"].partition("?")[0]
        for url, reason in ((unsigned, "404 Not Found"), ("http://10.0.0.1/a.png", "no route to host")):
            result = await caller.result(await caller.submit(EDIT, image_urls=[url]))
            assert result["error"] == f"Failed to download {url}: {reason}"
    assert [each.data for each in runcomfy.requests[runcomfy.submits[0].request_id or ""].pictures] == [
        picture()
    ]


@pytest.mark.parametrize("way", ["data_uris", "urls"])
async def test_each_way_can_be_switched_off(
    runcomfy: LocalRunComfy, caller: Caller, host: Host, way: str
) -> None:
    urls = {"data_uris": data_uri(picture()), "urls": f"{host.url}/picture"}
    model_input = {"prompt": "a fox", "image_urls": [urls[way]]}
    vars(runcomfy.switches)[way] = "refused"
    status, body = await caller.call("POST", f"/v1/models/{EDIT}", model_input)
    assert (status, body["detail"][0]["loc"]) == (422, "image_urls/0")
    vars(runcomfy.switches)[way] = "failing"
    result = await caller.result(await caller.submit(EDIT, **model_input))
    assert result["status"] == "failed"
    assert result["error"].startswith("Failed to download")
    assert len(result["error"]) < 300
    (other,) = urls.keys() - {way}
    result = await caller.result(await caller.submit(EDIT, image_urls=[urls[other]]))
    assert result["status"] == "succeeded"


async def test_result_can_repeat_the_input(runcomfy: LocalRunComfy, caller: Caller) -> None:
    submitted = await caller.submit(EDIT, image_urls=[data_uri(picture() + bytes(3_000_000))])
    assert "input" not in await caller.result(submitted)
    runcomfy.switches.echoes_input = True
    assert (await caller.result(submitted))["input"] == runcomfy.submits[0].input


async def test_output_can_be_a_single_image(runcomfy: LocalRunComfy, caller: Caller) -> None:
    runcomfy.switches.single_as_image = True
    one, two = await caller.submit(), await caller.submit(num_images=2)
    assert list((await caller.result(one))["output"]) == ["image"]
    assert len((await caller.result(two))["output"]["images"]) == 2
