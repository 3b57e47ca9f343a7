"""The local Discord rejects what Discord rejects, with the same codes."""

import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from playground.discord import LocalDiscord, Member
from tests.playground.conftest import Api


def command(name: str = "draw", **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", "type": 1, **fields}


def option(name: str, kind: int = 3, **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": "d", "type": kind, **fields}


def codes(errors: Any) -> set[str]:
    """Collect the codes from Discord's tree of errors."""
    if isinstance(errors, list):
        return {each["code"] for each in errors}
    return {code for inner in errors.values() for code in codes(inner)}


def button(custom_id: str = "a", **fields: Any) -> dict[str, Any]:
    return {"type": 2, "style": 2, "label": "Go", "custom_id": custom_id, **fields}


def rows(*buttons: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": 1, "components": list(buttons)}]


def select(kind: int = 3, **fields: Any) -> dict[str, Any]:
    given = {"options": options(2)} if kind == 3 else {}
    return {"type": kind, "custom_id": "a", **given, **fields}


def options(count: int, **fields: Any) -> list[dict[str, Any]]:
    return [{"label": f"{n}", "value": f"{n}", **fields} for n in range(count)]


def uploaded(**fields: Any) -> dict[str, Any]:
    return {"type": 19, "custom_id": "u", **fields}


def group(kind: int, count: int, **fields: Any) -> dict[str, Any]:
    options = [{"label": f"{n}", "value": f"{n}", **fields} for n in range(count)]
    return {"type": kind, "custom_id": "g", "options": options}


def labelled(component: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"type": 18, "label": "L", "component": component, **fields}


def written(**fields: Any) -> dict[str, Any]:
    return {"type": 4, "custom_id": "a", "style": 1, **fields}


FULL = [{"name": f"{n}", "value": "v" * 99} for n in range(25)]
BAD_COMMANDS: list[tuple[list[dict[str, Any]], str]] = [
    ([command("Draw")], "APPLICATION_COMMAND_INVALID_NAME"),
    ([command("two words")], "STRING_TYPE_REGEX"),
    ([command("a" * 33)], "BASE_TYPE_MAX_LENGTH"),
    ([command(description="")], "BASE_TYPE_MIN_LENGTH"),
    ([command(description="d" * 101)], "BASE_TYPE_MAX_LENGTH"),
    ([{"name": "draw"}], "BASE_TYPE_REQUIRED"),
    ([command(), command()], "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"),
    (
        [command("a", name_localizations={"ru": "к"}), command("b", name_localizations={"ru": "к"})],
        "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS",
    ),
    ([command(name_localizations={"xx": "a"})], "BASE_TYPE_CHOICES"),
    ([command(description_localizations={"ru": "d" * 101})], "BASE_TYPE_MAX_LENGTH"),
    ([command(options=[option(f"o{n}") for n in range(26)])], "BASE_TYPE_MAX_LENGTH"),
    (
        [command(options=[option("o", choices=[{"name": f"{n}", "value": "v"} for n in range(26)])])],
        "BASE_TYPE_MAX_LENGTH",
    ),
    (
        [command(options=[option("o", choices=[{"name": "n", "value": 1}])])],
        "BASE_TYPE_INVALID",
    ),
    (
        [command(options=[option("o"), option("p", required=True)])],
        "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
    ),
    ([command(options=[option("o"), option("o")])], "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS"),
    ([command(options=[option("o", 4, min_value=3, max_value=2)])], "NUMBER_TYPE_MIN"),
    ([command(options=[option("o", 4, max_value=2**60)])], "NUMBER_TYPE_MAX"),
    ([command(options=[option("o", max_length=6001)])], "NUMBER_TYPE_MAX"),
    ([command(options=[option("o", 1), option("p")])], "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"),
    (
        [command(options=[option("o", 2, options=[option("p")])])],
        "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ),
    (
        [command(options=[option("o", 1, options=[option("p", 1)])])],
        "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID",
    ),
    ([command(options=[option("o", options=[option("p")])])], "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"),
    ([command(options=[option("o", 11, choices=[{"name": "n", "value": "v"}])])], "BASE_TYPE_INVALID"),
    ([command(options=[option("o", 11, autocomplete=True)])], "BASE_TYPE_BAD_TYPE"),
    (
        [
            command(
                options=[
                    option(f"o{n}", choices=[{"name": f"{m}", "value": "v" * 99} for m in range(25)])
                    for n in range(4)
                ]
            )
        ],
        "APPLICATION_COMMAND_TOO_LARGE",
    ),
]


@pytest.mark.parametrize(("commands", "code"), BAD_COMMANDS)
async def test_invalid_commands_are_rejected(
    local: LocalDiscord, api: Api, commands: list[dict[str, Any]], code: str
) -> None:
    status, body = await api("PUT", f"/applications/{local.application_id}/commands", commands)
    assert (status, body["code"]) == (400, 50035)
    assert codes(body["errors"]) == {code}
    assert local.commands == []


@pytest.mark.parametrize(("kind", "most"), [(1, 100), (2, 15), (3, 15)])
async def test_number_of_commands_is_limited(local: LocalDiscord, api: Api, kind: int, most: int) -> None:
    path = f"/applications/{local.application_id}/commands"
    menus = [{"name": f"menu{n}", "type": kind, "description": "d"} for n in range(most + 1)]
    status, body = await api("PUT", path, menus)
    assert (status, body["code"]) == (400, 30032)
    status, _ = await api("PUT", path, menus[1:])
    assert status == 200


async def test_commands_keep_ids_and_full_payload(local: LocalDiscord, api: Api) -> None:
    path = f"/applications/{local.application_id}/commands"
    _, [first] = await api("PUT", path, [command("рисуй", default_member_permissions=32)])
    _, both = await api("PUT", path, [command("quota"), command("рисуй", nsfw=False, options=[])])
    assert both[1]["id"] == first["id"]
    assert first["default_member_permissions"] == "32"
    assert await api("GET", path) == (200, both)


DUPLICATED = "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED"
BAD_MESSAGES: list[tuple[dict[str, Any], int, str | None]] = [
    ({"content": "a" * 2001}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"content": ""}, 50006, None),
    ({"embeds": [{"title": "t" * 257}]}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"title": "t"}] * 11}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"description": "d" * 3001}] * 2}, 50035, "MAX_EMBED_SIZE_EXCEEDED"),
    ({"embeds": [{"fields": [{"name": "n"}]}]}, 50035, "BASE_TYPE_REQUIRED"),
    ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"image": {"url": "attachment://no.png"}}]}, 50035, "REFERENCED_ATTACHMENT_NOT_FOUND"),
    ({"components": rows(button()) * 6}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(*[button(str(n)) for n in range(6)])}, 50035, "BASE_TYPE_BAD_LENGTH"),
    ({"components": rows(button(), button())}, 50035, "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ({"components": rows(button("a" * 101))}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(button(label="l" * 81))}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(button(label=None))}, 50035, "BUTTON_COMPONENT_INVALID"),
    ({"components": rows(button()) + rows(select(5))}, 50035, "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ({"components": rows(button("b"), select(5))}, 50035, "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ({"components": rows(written())}, 50035, "BASE_TYPE_CHOICES"),
    ({"components": rows({"type": 3, "custom_id": "a"})}, 50035, "BASE_TYPE_REQUIRED"),
    ({"components": rows(select(custom_id=""))}, 50035, "BASE_TYPE_MIN_LENGTH"),
    ({"components": rows(select(options=[]))}, 50035, "BASE_TYPE_BAD_LENGTH"),
    ({"components": rows(select(options=options(26)))}, 50035, "BASE_TYPE_BAD_LENGTH"),
    ({"components": rows(select(max_values=3))}, 50035, "BASE_TYPE_BAD_LENGTH"),
    ({"components": rows(select(options=options(2, value="v")))}, 50035, DUPLICATED),
    ({"components": rows(select(options=options(2, default=True)))}, 50035, "BASE_TYPE_BAD_LENGTH"),
    ({"components": rows(select(options=options(1, label="l" * 101)))}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(select(options=options(1, value="v" * 101)))}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(select(options=options(1, description="d" * 101)))}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(select(placeholder="p" * 151))}, 50035, "BASE_TYPE_MAX_LENGTH"),
    ({"components": rows(select(5, max_values=26))}, 50035, "NUMBER_TYPE_MAX"),
    ({"components": rows(select(6, min_values=2, max_values=1))}, 50035, "NUMBER_TYPE_MIN"),
    (
        {"components": rows(select(6, default_values=[{"id": "1", "type": "user"}]))},
        50035,
        "BASE_TYPE_CHOICES",
    ),
    (
        {"components": rows(select(8, default_values=[{"id": "1", "type": "channel"}] * 2))},
        50035,
        "BASE_TYPE_BAD_LENGTH",
    ),
    ({"content": "c", "attachments": [{"id": "7"}]}, 50035, "ATTACHMENT_NOT_FOUND"),
]


@pytest.mark.parametrize(("body", "number", "code"), BAD_MESSAGES)
async def test_invalid_messages_are_rejected(
    local: LocalDiscord, api: Api, body: dict[str, Any], number: int, code: str | None
) -> None:
    answer = await api("POST", f"/channels/{local.channel.id}/messages", body)
    assert (answer[0], answer[1]["code"]) == (400, number)
    assert codes(answer[1].get("errors", {})) == ({code} if code else set())
    assert local.channel.messages == []


BAD_FORMS: list[tuple[dict[str, Any], str]] = [
    ({"title": "t" * 46}, "BASE_TYPE_MAX_LENGTH"),
    ({"title": ""}, "BASE_TYPE_MIN_LENGTH"),
    ({"custom_id": "i" * 101}, "BASE_TYPE_MAX_LENGTH"),
    ({"components": []}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(written(custom_id=f"{n}")) for n in range(6)]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(written())] * 2}, "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ({"components": [labelled(written(), label="l" * 46)]}, "BASE_TYPE_MAX_LENGTH"),
    ({"components": [labelled(written(), description="d" * 101)]}, "BASE_TYPE_MAX_LENGTH"),
    ({"components": [labelled(button())]}, "BASE_TYPE_CHOICES"),
    ({"components": [written()]}, "BASE_TYPE_CHOICES"),
    ({"components": rows(written())}, "BASE_TYPE_REQUIRED"),
    ({"components": rows(written(label="a"), written(label="b"))}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(written(placeholder="p" * 101))]}, "BASE_TYPE_MAX_LENGTH"),
    ({"components": [labelled(written(max_length=4001))]}, "NUMBER_TYPE_MAX"),
    ({"components": [labelled(written(min_length=3, max_length=2))]}, "NUMBER_TYPE_MIN"),
    ({"components": [labelled(written(value="vv", max_length=1))]}, "BASE_TYPE_MAX_LENGTH"),
    ({"components": [labelled(select(max_values=3))]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(select(min_values=0))]}, "NUMBER_TYPE_MIN"),
    ({"components": [labelled(select(disabled=True))]}, "BASE_TYPE_CHOICES"),
    ({"components": [labelled(uploaded(max_values=11))]}, "NUMBER_TYPE_MAX"),
    ({"components": [labelled(uploaded(min_values=2))]}, "NUMBER_TYPE_MIN"),
    ({"components": [labelled(uploaded(min_values=0))]}, "NUMBER_TYPE_MIN"),
    ({"components": [labelled(uploaded(custom_id=""))]}, "BASE_TYPE_MIN_LENGTH"),
    ({"components": rows(uploaded())}, "BASE_TYPE_CHOICES"),
    ({"components": [uploaded()]}, "BASE_TYPE_CHOICES"),
    ({"components": [labelled(group(21, 1))]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(group(21, 11))]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(group(21, 3, default=True))]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(group(21, 2, value="v"))]}, DUPLICATED),
    ({"components": [labelled(group(21, 2, label="l" * 101))]}, "BASE_TYPE_MAX_LENGTH"),
    ({"components": [labelled(group(22, 0))]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(group(22, 2) | {"max_values": 3})]}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [labelled(group(22, 2) | {"min_values": 0})]}, "NUMBER_TYPE_MIN"),
    ({"components": [labelled({"type": 23, "custom_id": "c", "default": "yes"})]}, "BASE_TYPE_INVALID"),
]


@pytest.mark.parametrize(("changes", "code"), BAD_FORMS)
async def test_invalid_modals_are_rejected(
    local: LocalDiscord, api: Api, alice: Member, changes: dict[str, Any], code: str
) -> None:
    interaction = await alice.send_raw("draw")
    form = {"custom_id": "a", "title": "t", "components": [labelled(written())]} | changes
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    status, body = await api("POST", path, {"type": 9, "data": form})
    assert (status, body["code"], list(body["errors"])) == (400, 50035, ["data"])
    assert codes(body["errors"]) == {code}
    assert interaction.modal is None
    del local


CHOICE = {"name": "n", "value": "v"}
BAD_CHOICES: list[tuple[Any, str]] = [
    ({}, "BASE_TYPE_REQUIRED"),
    ({"choices": [CHOICE] * 26}, "BASE_TYPE_MAX_LENGTH"),
    ({"choices": [CHOICE | {"name": "n" * 101}]}, "BASE_TYPE_MAX_LENGTH"),
    ({"choices": [CHOICE | {"name": ""}]}, "BASE_TYPE_MIN_LENGTH"),
    ({"choices": [CHOICE | {"value": "v" * 101}]}, "BASE_TYPE_MAX_LENGTH"),
    ({"choices": [CHOICE | {"value": 1}]}, "BASE_TYPE_INVALID"),
    ({"choices": [{"name": "n"}]}, "BASE_TYPE_REQUIRED"),
]


@pytest.mark.parametrize(("data", "code"), BAD_CHOICES)
async def test_invalid_autocomplete_choices_are_rejected(
    local: LocalDiscord, api: Api, alice: Member, data: dict[str, Any], code: str
) -> None:
    group = command("image", options=[option("seedream", 1, options=[option("style", 3, autocomplete=True)])])
    await api("PUT", f"/applications/{local.application_id}/commands", [group])
    interaction = await alice.complete("image seedream", "style", "a")
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    status, body = await api("POST", path, {"type": 8, "data": data})
    assert (status, codes(body["errors"])) == (400, {code})
    assert (await api("POST", path, {"type": 8, "data": {"choices": [CHOICE] * 25}}))[0] == 204
    assert interaction.choices == [CHOICE] * 25


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": "draw"}, [6, 7, 8]),
        ({"custom_id": "a"}, [1, 8]),
        ({"custom_id": "a", "form": {"a": "b"}}, [6, 7, 8, 9]),
    ],
)
async def test_response_types_per_interaction_type(
    api: Api, alice: Member, fields: dict[str, Any], wrong: list[int]
) -> None:
    interaction = await alice.send_raw(**fields)
    path = f"/interactions/{interaction.id}/{interaction.token}/callback"
    for kind in wrong:
        status, body = await api("POST", path, {"type": kind, "data": {}})
        assert (status, codes(body["errors"])) == (400, {"BASE_TYPE_CHOICES"})
    assert (await api("POST", path, {"type": 4, "data": {"content": "c"}}))[0] == 204


def upload(body: dict[str, Any], *sizes: int) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False, default_to_multipart=True)
    form.add_field("payload_json", json.dumps(body))
    for number, size in enumerate(sizes):
        form.add_field(f"files[{number}]", io.BytesIO(b"x" * size), filename=f"{number}.bin")
    return form


@pytest.mark.parametrize(
    ("sizes", "status", "number"),
    [((101,), 413, 40005), ((1,) * 11, 400, 50035), ((100, 100), 200, None)],
)
async def test_attachment_size_and_count_limits(
    local: LocalDiscord, api: Api, sizes: tuple[int, ...], status: int, number: int | None
) -> None:
    local.attachment_size_limit = 100
    answer = await api("POST", f"/channels/{local.channel.id}/messages", data=upload({}, *sizes))
    assert (answer[0], answer[1].get("code")) == (status, number)
    assert local.trace[-1].files == [(f"{n}.bin", size) for n, size in enumerate(sizes)]


async def test_request_size_limit(local: LocalDiscord, api: Api) -> None:
    data = upload({}, *[9 * 1024 * 1024] * 3)
    status, body = await api("POST", f"/channels/{local.channel.id}/messages", data=data)
    assert (status, body["code"]) == (413, 40005)


@pytest.mark.parametrize(
    ("denied", "body", "number"),
    [
        ("view_channel", {"content": "c"}, 50001),
        ("send_messages", {"content": "c"}, 50013),
        ("embed_links", {"embeds": [{"title": "t"}]}, 50013),
        ("attach_files", {}, 50013),
    ],
)
async def test_channel_permissions(
    local: LocalDiscord, api: Api, denied: str, body: dict[str, Any], number: int
) -> None:
    local.channel.app_permissions.update(**{denied: False})
    path, sizes = f"/channels/{local.channel.id}/messages", [] if body else [1]
    status, answer = await api("POST", path, data=upload(body, *sizes))
    assert (status, answer["code"]) == (403, number)


async def test_channel_rate_limit(local: LocalDiscord, api: Api) -> None:
    path = f"/channels/{local.channel.id}/messages"
    for left in (4, 3, 2, 1, 0):
        status, _ = await api("POST", path, {"content": "c"})
        limits = {key: value for key, value in api.last.headers.items() if key.startswith("X-RateLimit-")}
        assert (status, limits["X-RateLimit-Remaining"]) == (200, str(left))
        assert {key[12:] for key in limits} == {"Limit", "Remaining", "Reset", "Reset-After", "Bucket"}
        assert api.last.headers["Content-Type"] == "application/json"
    status, body = await api("POST", path, {"content": "c"})
    assert (status, body["global"], api.last.headers["Via"]) == (429, False, "1.1 google")
    assert 0 < body["retry_after"] <= 5
    assert len(local.channel.messages) == 5


async def test_webhook_rate_limit(local: LocalDiscord, api: Api, alice: Member) -> None:
    interaction = await alice.send_raw("draw")
    where = f"/interactions/{interaction.id}/{interaction.token}/callback"
    webhook = f"/webhooks/{local.application_id}/{interaction.token}"
    early, _ = await api("GET", f"{webhook}/messages/@original")
    assert early == 404
    assert await api("POST", where, {"type": 4, "data": {"content": "c"}}) == (204, None)
    statuses = [(await api("PATCH", f"{webhook}/messages/@original", {"content": "d"}))[0] for _ in range(5)]
    assert statuses == [200, 200, 200, 200, 429]
    other = await alice.send_raw("draw")
    await api(
        "POST", where.replace(interaction.id, other.id).replace(interaction.token, other.token), {"type": 5}
    )
    status, body = await api("POST", webhook.replace(interaction.token, other.token), {"content": "e"})
    assert (status, body["content"], len(local.channel.messages)) == (200, "e", 2)


@pytest.mark.parametrize(
    ("method", "path", "status", "number"),
    [
        ("GET", "/nowhere", 404, 0),
        ("GET", "/channels/1/messages", 404, 10003),
        ("POST", "/interactions/1/x/callback", 404, 10062),
        ("PATCH", "/webhooks/1/x/messages/@original", 404, 10015),
        ("POST", "/users/@me/channels", 404, 10013),
    ],
)
async def test_error_codes_for_unknown_objects(
    api: Api, method: str, path: str, status: int, number: int
) -> None:
    answer = await api(method, path, {})
    assert (answer[0], answer[1]["code"]) == (status, number)


async def test_bot_routes_require_the_bot_token(api: Api) -> None:
    api.headers = {}
    assert await api("GET", "/users/@me") == (401, {"message": "401: Unauthorized", "code": 0})


async def test_certificates_of_two_instances_are_independent(local: LocalDiscord, tmp_path: Path) -> None:
    (folder := tmp_path / "other").mkdir()
    async with LocalDiscord(folder) as other:
        assert other.environment["SSL_CERT_FILE"] == str(folder / "ca.pem")
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get("https://discord.com/", proxy=other.environment["DISCORD_PROXY"])
            async with session.get(
                "https://discord.com/api/v10/gateway",
                proxy=local.environment["DISCORD_PROXY"],
                ssl=local.tls,
            ) as response:
                assert response.status == 401
