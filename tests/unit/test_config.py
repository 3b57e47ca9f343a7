"""Configuration: defaults, sources and error messages."""

from __future__ import annotations

import os
import re
import traceback
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr, ValidationError

from bot.config import Config, deprecations, load
from bot.diagnostics.local import read_settings
from bot.domain.quota import Period, Quota
from bot.errors import ConfigError
from bot.runcomfy.file_url import AllowedHosts, is_loopback
from bot.storage.database_url import PostgresUrl, parse_database_url

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLE = Path(__file__).parents[2] / ".env.example"
TOKENS = {"DISCORD_TOKEN": "discord-secret-1", "RUNCOMFY_TOKEN": "runcomfy-secret-2"}


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = {name.upper() for name in Config.model_fields} | {"MAX_LOOKS_PER_SECOND"}
    for name in os.environ:
        if name.upper().removesuffix("_FILE") in names:
            monkeypatch.delenv(name)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in TOKENS.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def problems() -> list[str]:
    with pytest.raises(ConfigError) as raised:
        load()
    return raised.value.problems


def write_env(values: Mapping[str, str]) -> None:
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()), "utf-8")


@pytest.mark.usefixtures("environment")
def test_two_tokens_are_enough() -> None:
    assert load() == Config(
        discord_token=SecretStr("discord-secret-1"),
        runcomfy_token=SecretStr("runcomfy-secret-2"),
        runcomfy_api_url="https://model-api.runcomfy.net",
        runcomfy_file_hosts="*.runcomfy.net,*.runcomfy.com",
        database_url="sqlite+aiosqlite:///data/bot.db",
        default_quota="10/day",
        max_quota="100/day",
        budget="1000/month",
        discord_proxy=None,
        log_level="INFO",
    )
    assert load().budget == (Quota(1000, Period.MONTH),)


def test_every_variable_is_read_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    for name, value in {
        "RUNCOMFY_API_URL": "http://127.0.0.1:8188/",
        "RUNCOMFY_FILE_HOSTS": "127.0.0.1:8188",
        "DATABASE_URL": "sqlite+aiosqlite:////var/lib/bot/bot.db",
        "DEFAULT_QUOTA": " 3/hour ",
        "MAX_QUOTA": "unlimited",
        "DEFAULT_POOL": "50/day, 900/month",
        "MAX_POOL": "1000/month",
        "BUDGET": "0/month",
        "BUDGET_USD": "12.50",
        "BUDGET_ALARM": "75",
        "GUILDS": "123456789012345678, 2,",
        "DISCORD_PROXY": "http://127.0.0.1:8080",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "JSON",
        "HEALTH_PORT": " 9000 ",
        "HEALTH_HOST": "::",
        "MAX_JOBS": " 7 ",
        "DEADLINE_SECONDS": "60",
        "FILES_MAX_GB": "0.5",
        "ORIGINALS_MAX_GB": "0.25",
        "ORIGINALS_DAYS": "30",
    }.items():
        environment.setenv(name, value)
    settings = load()
    assert str(settings.runcomfy_api_url) == "http://127.0.0.1:8188/"
    assert settings.runcomfy_file_hosts == AllowedHosts.parse("127.0.0.1:8188")
    assert settings.database_url == Path("/var/lib/bot/bot.db")
    assert (settings.default_quota, settings.max_quota) == ((Quota(3, Period.HOUR),), ())
    assert settings.default_pool == (Quota(50, Period.DAY), Quota(900, Period.MONTH))
    assert settings.max_pool == (Quota(1000, Period.MONTH),)
    assert settings.budget == (Quota(0, Period.MONTH),)
    assert (settings.budget_usd, settings.budget_alarm) == (Decimal("12.5"), 75)
    assert settings.guilds == {123456789012345678, 2}
    assert settings.discord_proxy == "http://127.0.0.1:8080"
    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")
    assert (settings.health_port, str(settings.health_host)) == (9000, "::")
    assert (settings.max_jobs, settings.deadline_seconds, settings.files_max_gb) == (7, 60, 0.5)
    assert (settings.originals_max_gb, settings.originals_days) == (0.25, 30)


def test_environment_overrides_the_env_file(monkeypatch: pytest.MonkeyPatch) -> None:
    write_env(TOKENS | {"BUDGET": "7/day", "MAX_QUOTA": "8/day", "SOMETHING_ELSE": "of another program"})
    monkeypatch.setenv("MAX_QUOTA", "9/day")
    settings = load()
    assert settings.discord_token.get_secret_value() == "discord-secret-1"
    assert (settings.budget, settings.max_quota) == ((Quota(7, Period.DAY),), (Quota(9, Period.DAY),))


def test_empty_variable_means_its_default(environment: pytest.MonkeyPatch) -> None:
    for name in set(map(str.upper, Config.model_fields)) - set(TOKENS):
        environment.setenv(name, "")
    settings = load()
    assert settings.default_quota == (Quota(10, Period.DAY),)
    assert settings.guilds == frozenset()
    assert settings.discord_proxy is None


def test_old_name_works_with_a_warning(environment: pytest.MonkeyPatch) -> None:
    assert deprecations() == []
    environment.setenv("MAX_LOOKS_PER_SECOND", "5")
    assert load().max_polls_per_second == 5
    (warning,) = deprecations()
    assert warning == "MAX_LOOKS_PER_SECOND is now called MAX_POLLS_PER_SECOND: rename it"
    environment.setenv("MAX_LOOKS_PER_SECOND", "0")
    assert problems() == ["MAX_POLLS_PER_SECOND must be greater than 0", warning]
    environment.setenv("MAX_POLLS_PER_SECOND", "6")
    assert load().max_polls_per_second == 6


def test_old_name_in_the_env_file_works_too() -> None:
    write_env(TOKENS | {"MAX_LOOKS_PER_SECOND": "7"})
    assert load().max_polls_per_second == 7
    assert len(deprecations()) == 1


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("GUILDS", ",", "must be server ids"),
        ("GUILDS", "one,two", "must be server ids"),
        ("MAX_JOBS", "many", "must be a whole number"),
        ("BUDGET_ALARM", "101", "must be at most 100"),
        ("BUDGET_USD", "NaN", "must be a number"),
        ("BUDGET_USD", "$25", "must be a number such as 25, or unlimited"),
        ("BUDGET_USD", "12.1234567", "must have no more than 6 decimal places"),
        ("HEALTH_HOST", "localhost", "must be a valid IPv4 or IPv6 address"),
        ("LOG_LEVEL", "loud", "must be 'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
    ],
)
def test_pydantics_messages_become_sentences_about_the_variable(
    environment: pytest.MonkeyPatch, name: str, value: str, problem: str
) -> None:
    environment.setenv(name, value)
    (found,) = problems()
    assert found.startswith(f"{name} {problem}")


def test_shards_are_numbers_and_ranges(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("SHARD_COUNT", "10")
    environment.setenv("SHARD_IDS", "0-2, 8,1")
    assert (load().shard_count, load().shard_ids) == (10, (0, 1, 2, 8))


@pytest.mark.parametrize(
    ("count", "ids", "problem"),
    [
        ("", "0", "SHARD_IDS must come with SHARD_COUNT, the number of all shards"),
        ("0", "0", "SHARD_IDS must come with SHARD_COUNT, the number of all shards"),
        ("4", "2-4", "SHARD_IDS must be numbers from 0 to 3, because SHARD_COUNT is 4"),
        *(
            ("4", ids, "SHARD_IDS must be shard numbers with commas between them, or a range, such as 0-3")
            for ids in (",", "1,", "3-1", "-1", "one", "1;2", "1.5", "٣")
        ),
        ("many", "0", "SHARD_COUNT must be a whole number"),
        ("-1", "7", "SHARD_COUNT must be at least 0"),
    ],
)
def test_shards_that_do_not_exist_are_refused(
    environment: pytest.MonkeyPatch, count: str, ids: str, problem: str
) -> None:
    environment.setenv("SHARD_COUNT", count)
    environment.setenv("SHARD_IDS", ids)
    assert problems() == [problem]


def test_missing_tokens_are_reported_together() -> None:
    assert problems() == [
        "DISCORD_TOKEN is missing: set it in the environment or in .env",
        "RUNCOMFY_TOKEN is missing: set it in the environment or in .env",
    ]


BAD = {
    "DISCORD_TOKEN": "Zm9vYmFy first-secret",
    "RUNCOMFY_TOKEN": "second-secret\x7f",
    "RUNCOMFY_API_URL": "http://third-secret.example/v1",
    "RUNCOMFY_FILE_HOSTS": "https://eleventh-secret.example/path",
    "DATABASE_URL": "postgres://user:fourth-secret@host/db",
    "DEFAULT_QUOTA": "fifth-secret/day",
    "MAX_QUOTA": "-6/sixth-secret",
    "BUDGET": "7/seventh-secret",
    "MAX_JOBS": "2.5",
    "MAX_JOBS_PER_USER": "0",
    "MAX_JOBS_PER_GUILD": "10001",
    "MAX_POLLS_PER_SECOND": "0",
    "DEADLINE_SECONDS": "twelfth-secret",
    "FILES_MAX_GB": "nan",
    "FILES_DAYS": "-7",
    "GUILDS": "1,eighth-secret",
    "SHARD_COUNT": "-1",
    "SHARD_IDS": "fifteenth-secret",
    "DISCORD_PROXY": "socks5://ninth-secret:1",
    "HTTP_PROXY": "https://me:thirteenth-secret@host",
    "HTTPS_PROXY": "http://fourteenth secret",
    "LOG_LEVEL": "tenth-secret",
    "LOG_FORMAT": "thirtieth-secret",
    "HEALTH_PORT": "65536",
    "HEALTH_HOST": "secret.example",
}


def test_all_problems_are_reported_by_name_and_without_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in BAD.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as raised:
        load()
    assert [problem.split()[0] for problem in raised.value.problems] == list(BAD)
    assert all(problem.split()[1] == "must" for problem in raised.value.problems)
    shown = "\n".join(
        [
            *raised.value.problems,
            str(raised.value),
            repr(raised.value),
            *traceback.format_exception(raised.value),
        ]
    )
    assert "secret" not in shown
    assert "Zm9v" not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RUNCOMFY_API_URL", "https://[hidden]"),
        ("RUNCOMFY_API_URL", "https://hidden\u2100.example"),
        ("RUNCOMFY_API_URL", "https://hidden:x1@api.example"),
        ("RUNCOMFY_API_URL", "https://:hidden@api.example"),
        ("RUNCOMFY_API_URL", "https://api.example/?key=hidden"),
        ("RUNCOMFY_API_URL", "https://api.example/#hidden"),
        ("RUNCOMFY_API_URL", "https://"),
        ("RUNCOMFY_API_URL", "http://10.0.0.1"),
        ("RUNCOMFY_API_URL", "http://localhost.hidden.example"),
        ("RUNCOMFY_API_URL", "https://api.example/v1/"),
        ("RUNCOMFY_API_URL", "file:///hidden"),
        ("DATABASE_URL", "sqlite+aiosqlite:///"),
        ("DATABASE_URL", "sqlite:///hidden.db"),
        ("DATABASE_URL", "sqlite+aiosqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://me:hidden@host/name"),
        ("DATABASE_URL", "postgresql+asyncpg://me:hid/den@host/name"),
        ("DATABASE_URL", "postgresql+asyncpg://me:hid#den@host/name"),
        ("DATABASE_URL", "postgresql+asyncpg://me:hid?den@host/name"),
        ("DATABASE_URL", "postgresql+asyncpg://me:hidden@host:hidden/name"),
        ("DATABASE_URL", "postgresql+asyncpg://me:hidden@host/na/me"),
        ("DISCORD_TOKEN", "hidden hidden"),
        ("DISCORD_TOKEN", "hidden\nhidden"),
        ("DISCORD_TOKEN", "hiddén"),
        ("GUILDS", "١٢٣"),
        ("GUILDS", "1;2"),
        ("GUILDS", "-1"),
        *(
            (name, token)
            for name in ("DISCORD_TOKEN", "RUNCOMFY_TOKEN")
            for token in (
                *('"hidden1"', "'hidden1'", '"hidden1', "hidden1'", '"hid den1"', "\u201chidden1\u201d"),
                *("Bot hidden1", "Bearer hidden1", "DISCORD_TOKEN=hidden1", "hidden1 ", "hidden1\nOTHER=2"),
                *("<hidden>", "your-hidden-token", "YOUR_HIDDEN_TOKEN_HERE", "hidden_token", "${HIDDEN}"),
            )
        ),
        ("BUDGET", '"4711hidden/day"'),
        ("DATABASE_URL", "'sqlite+aiosqlite:///hidden.db'"),
        ("DISCORD_PROXY", "https://hidden"),
        ("DISCORD_PROXY", "http://hid den"),
    ],
)
def test_invalid_value_is_not_shown(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(name, value)
    (problem,) = problems()
    assert problem.startswith(f"{name} must be ")
    assert "hidden" not in problem


@pytest.mark.parametrize(
    ("url", "normal", "password"),
    [
        ("me:p%40ss@host/name", "me:p%40ss@host/name", "p@ss"),
        ("me:p@ss:w%rd@host:5433/name", "me:p%40ss%3Aw%25rd@host:5433/name", "p@ss:w%rd"),
        ("me@[::1]:5433/na%20me?sslmode=require", "me@[::1]:5433/na%20me?sslmode=require", ""),
        ("/name?host=/run/postgresql", "/name?host=/run/postgresql", ""),
        ("host/name?password=a%40b&user=me", "host/name?password=a%40b&user=me", "a@b"),
    ],
)
def test_address_of_postgresql(environment: pytest.MonkeyPatch, url: str, normal: str, password: str) -> None:
    environment.setenv("DATABASE_URL", f"postgresql+asyncpg://{url}")
    settings = load()
    assert settings.database_url == PostgresUrl(f"postgresql+asyncpg://{normal}", password)
    assert settings.files_root == Path("data/files")
    assert not password or (password not in repr(settings) and password in settings.secrets)


def test_address_of_postgresql_without_a_database(environment: pytest.MonkeyPatch) -> None:
    for end in ("", "/", "?sslmode=require"):
        environment.setenv("DATABASE_URL", f"postgresql+asyncpg://me:hidden@host{end}")
        (problem,) = problems()
        assert problem.startswith("DATABASE_URL must name a database at the end, such as ")
        assert "hidden" not in problem


def test_files_are_beside_the_database_file_or_in_files_dir(environment: pytest.MonkeyPatch) -> None:
    assert load().files_root == Path("data")
    environment.setenv("DATABASE_URL", "sqlite+aiosqlite:////var/lib/bot/bot.db")
    assert load().files_root == Path("/var/lib/bot")
    environment.setenv("FILES_DIR", "/srv/images")
    assert load().files_root == Path("/srv/images")


@pytest.mark.parametrize("name", TOKENS)
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('"abc1"', "quotes"),
        ("'abc1'", "quotes"),
        ('abc1"', "quotes"),
        ("Bot abc1", "Bot or Bearer"),
        ("RUNCOMFY_TOKEN=abc1", "its name"),
        ("abc1\n", "line breaks"),
        ("changeme", "placeholder"),
        ("your-token-here", "placeholder"),
        ("xxxxxxxx", "placeholder"),
    ],
)
def test_token_mistakes(environment: pytest.MonkeyPatch, name: str, value: str, reason: str) -> None:
    environment.setenv(name, value)
    (problem,) = problems()
    assert reason in problem


def test_quotes_in_the_env_file_are_removed() -> None:
    write_env({name: f'"{value}"' for name, value in TOKENS.items()})
    assert load().discord_token.get_secret_value() == TOKENS["DISCORD_TOKEN"]


@pytest.mark.parametrize(
    "value",
    ["http://localhost:1/", "http://127.0.0.9", "http://[::1]:8188", "https://api.example:444/queue/"],
)
def test_safe_addresses_are_accepted(environment: pytest.MonkeyPatch, value: str) -> None:
    environment.setenv("RUNCOMFY_API_URL", value)
    assert str(load().runcomfy_api_url).rstrip("/") == value.rstrip("/")


class TestFiles:
    """`NAME_FILE` names a file with the value of NAME."""

    @pytest.fixture(autouse=True)
    def _files(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in TOKENS.items():
            Path(name).write_text(f"{value}\n", "utf-8")
            monkeypatch.setenv(f"{name}_FILE", name)

    @pytest.mark.parametrize(
        "content", ["discord-secret-1", "discord-secret-1\r\n", "\N{BYTE ORDER MARK}discord-secret-1\n\n"]
    )
    def test_line_breaks_at_the_end_do_not_count(self, content: str) -> None:
        Path("DISCORD_TOKEN").write_text(content, "utf-8", newline="")
        settings = load()
        assert settings.discord_token.get_secret_value() == TOKENS["DISCORD_TOKEN"]
        assert settings.runcomfy_token.get_secret_value() == TOKENS["RUNCOMFY_TOKEN"]

    def test_every_setting_can_be_in_a_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in Config.model_fields:
            monkeypatch.setenv(f"{name.upper()}_FILE", "missing.txt")
        found = problems()
        assert len(found) == len(Config.model_fields)
        assert all("can't be read from missing.txt: No such file or directory" in each for each in found)

    def test_the_env_file_can_name_files(self) -> None:
        Path("url").write_text("sqlite+aiosqlite:///other.db\n", "utf-8")
        write_env({"DATABASE_URL_FILE": "url"})
        assert load().database_url == Path("other.db")

    @pytest.mark.parametrize("place", ["environment", "env file"])
    def test_setting_both_is_refused(self, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
        if place == "environment":
            monkeypatch.setenv("DISCORD_TOKEN", "discord-secret-2")
        else:
            write_env({"DISCORD_TOKEN": "discord-secret-2"})
        assert problems() == ["DISCORD_TOKEN must be set once, and DISCORD_TOKEN_FILE is set too"]

    def test_empty_variable_beside_the_file_does_not_count(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DISCORD_TOKEN", "")
        assert load().discord_token.get_secret_value() == TOKENS["DISCORD_TOKEN"]

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "must be in DISCORD_TOKEN, but that file is empty"),
            (b"\n", "must be in DISCORD_TOKEN, but that file is empty"),
            (b"hidden\xff", "must be UTF-8 text in DISCORD_TOKEN"),
            (b"hidden" * 20_000, "must be at most 64 KB in DISCORD_TOKEN"),
            (b"hidden\nhidden", "must be a token: one word without spaces or line breaks"),
        ],
    )
    def test_unusable_content_is_not_shown(self, content: bytes, problem: str) -> None:
        Path("DISCORD_TOKEN").write_bytes(content)
        assert problems() == [f"DISCORD_TOKEN {problem}"]
        assert [finding.text for finding in read_settings()[2]] == [f"DISCORD_TOKEN {problem}"]

    def test_folder_instead_of_the_file(self) -> None:
        """Docker creates a folder where a file to mount is missing."""
        Path("DISCORD_TOKEN").unlink()
        Path("DISCORD_TOKEN").mkdir()
        assert problems() == ["DISCORD_TOKEN can't be read from DISCORD_TOKEN: Is a directory"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_env_file_in_another_encoding_is_read_or_reported(encoding: str) -> None:
    text = "".join(f"{name}={value}\n" for name, value in TOKENS.items())
    Path(".env").write_text(text, encoding)
    try:
        settings = load()
    except ConfigError as error:
        assert ".env" in str(error)  # noqa: PT017 (either end is fine, and this is one of the two)
        assert "is missing" not in str(error)  # noqa: PT017 (as above: the file does say it)
    else:
        assert settings.discord_token.get_secret_value() == TOKENS["DISCORD_TOKEN"]


def test_check_reports_an_unreadable_env_file() -> None:
    Path(".env").write_text("GUILDS=1", "utf-16")
    settings, broken, findings = read_settings()
    assert (settings, broken) == (None, set())
    assert [finding.text for finding in findings] == [".env must be a text file in UTF-8"]


@pytest.mark.usefixtures("environment")
def test_secrets_are_hidden_and_fields_are_frozen() -> None:
    settings = load()
    assert "secret-" not in f"{settings!r} {settings}"
    for name in Config.model_fields:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(settings, name, getattr(settings, name))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.1", "::1"])
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "0.0.0.1", "localhost.example", "127.0.0.1.example", ""])
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


class TestExample:
    def test_has_every_variable_and_no_other(self) -> None:
        names = re.findall(r"^#?\s?([A-Z][A-Z_]+)=", EXAMPLE.read_text("utf-8"), re.MULTILINE)
        assert sorted(names) == sorted(map(str.upper, Config.model_fields))

    def test_matches_the_defaults(self) -> None:
        text = EXAMPLE.read_text("utf-8")
        for name, value in TOKENS.items():
            text, filled = re.subn(rf"^{name}=.*$", f"{name}={value}", text, flags=re.MULTILINE)
            assert filled == 1
        Path(".env").write_text(text, "utf-8")
        example = load()
        write_env(TOKENS)
        assert example == load()

    def test_contains_no_token(self) -> None:
        assert re.findall(r"^(?:DISCORD|RUNCOMFY)_TOKEN=(.*)$", EXAMPLE.read_text("utf-8"), re.MULTILINE) == [
            "",
            "",
        ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "u:p%40ss@host:5433/name?sslmode=verify-full",
            "host=host port=5433 user=u dbname=name sslmode=verify-full",
        ),
        ("[::1]/name?user=u&password=p%40ss", "host=::1 user=u dbname=name"),
        ("it%27s:p%40ss@host/my%20name", r"host=host user='it\'s' dbname='my name'"),
    ],
)
def test_database_for_the_programs_of_postgresql_has_no_password(url: str, expected: str) -> None:
    parsed = parse_database_url(f"postgresql+asyncpg://{url}")
    assert isinstance(parsed, PostgresUrl)
    assert parsed.for_libpq == expected
