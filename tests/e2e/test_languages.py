"""Responses use the language of the member's client, and a job that of its requester."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.environment import button_labels, open_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playground.discord import Member, Message
    from tests.e2e.environment import Environment

pytestmark = pytest.mark.asyncio(loop_scope="module")

BY_HAND: dict[str, Any] = {"workers": 1, "seconds": 600}


def russian(env: Environment) -> Member:
    person = env.new_member()
    person.locale = "ru"
    return person


def finish(env: Environment, prompt: str) -> None:
    for request_id, made in env.runcomfy.requests.items():
        if made.input["prompt"] == prompt:
            env.runcomfy.finish(request_id)


async def press(person: Member, message: Message, label: str) -> Message:
    return await (await person.press(message, label)).response(timeout=5)


async def test_job_keeps_its_language_through_a_restart(tmp_path: Path) -> None:
    async with open_environment(tmp_path, runcomfy=BY_HAND) as env:
        anna, bob = russian(env), env.bob
        hers = await env.imagine(anna, prompt="лиса", num_images=2, resolution="0.5K")
        await env.wait_for_text(hers, "🎨 Создаю · начато", "2 изображения", f"от <@{anna.id}>")
        his = await env.imagine(bob, prompt="a bear", resolution="0.5K")
        unwanted = await env.imagine(anna, prompt="барсук", resolution="0.5K")
        await env.wait_for_text(his, "In queue, #", "by <@")
        await env.wait_for_text(unwanted, "В очереди, №")
        assert list(hers.buttons) == ["Отменить"]
        assert list(his.buttons) == ["Cancel"]
        await env.restart()
        listing = await (await anna.command("jobs")).response()
        assert "1. 🎨 Создаю · " in listing.text
        assert "2. 🕒 В очереди" in listing.text
        assert list(listing.buttons) == ["Отменить 2"]
        assert "1. 🕒 In queue" in (await (await bob.command("jobs")).response()).text
        pressed = await anna.press(listing, "Отменить 2")
        await env.wait_for_text(unwanted, f"Запрос отменён участником <@{anna.id}>", "Кредиты не списаны")
        await env.discord.until(lambda: any("Запрос отменён" in each.text for each in pressed.messages))
        cancel = hers.buttons["Отменить"]["custom_id"]  # disabled, because it is too late
        refused = await anna.send_raw(custom_id=cancel, message=hers)
        await env.discord.until(
            lambda: any("Изображение уже создаётся" in each.text for each in refused.messages)
        )
        finish(env, "лиса")
        await env.wait_for_text(hers, "✅", " с")
        await env.runcomfy.until(
            lambda: any(made.input["prompt"] == "a bear" for made in env.runcomfy.requests.values())
        )
        finish(env, "a bear")
        await env.wait_for_text(his, "✅")
        await env.wait_until_idle()
        assert list(hers.buttons)[:2] == ["Ещё вариант · 1,5 кредита", "Ремикс · 1,5 кредита"]
        assert list(his.buttons)[:2] == ["Re-roll · 0.75 credits", "Remix · 0.75 credits"]
        usage = await env.reply_to(anna, "usage")
        assert "потрачено 1,5 из 10 кредитов, осталось 8,5" in usage
        assert "0,75 (0,5K)" in usage
        assert "0.75 of 10 credits used, 9.25 left" in await env.reply_to(bob, "usage")
        assert "у вас нет запросов в работе" in await env.reply_to(anna, "jobs")


async def test_refusals_are_localized(env: Environment) -> None:
    anna = russian(env)
    failed = await env.imagine(anna, prompt="refuse this", resolution="0.5K")
    await env.wait_for_text(failed, "Сервис изображений отклонил промпт", "Кредиты не списаны")
    assert button_labels(failed) == ["Изменить промпт"]
    forged = await anna.send_raw("imagine", {"prompt": "лиса", "num_images": 9})
    assert "Параметр количество_изображений должен быть не больше 4." in (await forged.response()).text
    closed = env.discord.guild.add_channel("closed")
    closed.app_permissions.update(attach_files=False, embed_links=False)
    refused = await (await anna.command("imagine", prompt="лиса", channel=closed)).response()
    assert "Не хватает прав: Встраивать ссылки, Прикреплять файлы." in refused.text


async def test_response_uses_the_pressers_language(held: Environment) -> None:
    anna, bob = russian(held), held.new_member()
    his = await held.imagine(bob, resolution="0.5K", num_images=2)
    assert "только автор запроса или модератор" in (await press(anna, his, "Cancel")).text
    held.runcomfy.release()
    await held.wait_for_text(his, "✅")
    hers = await press(anna, his, "Re-roll")
    await held.wait_for_text(hers, "✅", f"от <@{anna.id}>")
    again = await press(bob, hers, "Ещё вариант")
    await held.wait_for_text(again, "✅", f"by <@{bob.id}>")
    assert list(again.buttons)[:2] == ["Re-roll · 1.5 credits", "Remix · 1.5 credits"]
    assert list(again.buttons)[-3:] == ["Download", "Info", "Delete"]


@pytest.mark.parametrize("locale", ["uk", "en-GB", "xx"])
async def test_unsupported_language_falls_back_to_english(env: Environment, locale: str) -> None:
    person = env.new_member()
    person.locale = locale
    message = await env.wait_for_text(await env.imagine(person, resolution="0.5K"), "✅", "by <@")
    await env.wait_for_end(message)
    assert "You have nothing in progress" in await env.reply_to(person, "jobs")


async def test_manager_commands_are_localized(env: Environment) -> None:
    manager, bob = env.new_member(is_manager=True), env.new_member()
    manager.locale = "ru"
    said = await env.reply_to(manager, "quota set", limit=2, per="day", who=bob)
    assert said == f"✅ Личный лимит <@{bob.id}>: 2 кредита в день."
    assert f"<@{bob.id}>: 2 кредита в день" in await env.reply_to(manager, "quota show")


def described(parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for part in parts:
        yield part
        yield from described(part.get("options") or [])


async def test_every_command_is_listed_in_both_languages(env: Environment) -> None:
    listed = [part for part in described(env.discord.commands) if part.get("description")]
    assert len(listed) > 15
    for part in listed:
        russian_words = part["description_localizations"]
        assert set(russian_words) == {"ru"}, part["name"]
        for text in (part["description"], russian_words["ru"]):
            assert 1 < len(text) <= 100, part["name"]
        assert not part["description"].startswith("…")
    per = next(part for part in listed if part["name"] == "per")
    assert {each["name_localizations"]["ru"] for each in per["choices"]} == {"час", "день", "неделя", "месяц"}
