"""The owner's configuration, from environment variables and `.env`."""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    HttpUrl,
    IPvAnyAddress,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot import log
from bot.domain.quota import Period, Quota, Quotas, parse_quotas
from bot.errors import ConfigError
from bot.models.live import MODEL_ID
from bot.runcomfy.file_url import AllowedHosts, is_loopback
from bot.runcomfy.proxies import Proxies, parse_proxy, proxy_credentials
from bot.storage.database_url import DatabaseUrl, PostgresUrl, parse_database_url

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHARDS_MAX = 10_000
_QUOTED = "must be without quotes (Docker's --env-file passes them on)"
_NOT_A_NUMBER: Final = {
    "int_parsing": "a whole number",
    **dict.fromkeys(("float_parsing", "finite_number"), "a number"),
    "decimal_parsing": "a number such as 25, or unlimited",  # BUDGET_USD
}
_UNSAFE_URL = "must be an https URL (http only for this machine)"
_FILE_BYTES_MAX = 65_536
_TOKEN_MISTAKES: Final = {
    r"[\"'].*|.*[\"']": _QUOTED,
    r"(Bot|Bearer)\s.*": "must be only the token, without Bot or Bearer before it",
    r"\w+_TOKEN\s*=.*": "must be only the token, without its name before it",
    # Both services' tokens are printable ASCII; a pasted line break would end in an unreadable header error.
    r".*[^!-~].*|.{8193,}|": "must be a token: one word without spaces or line breaks",
    r"(?!.*\d)(<.*>|\$?\{.*\}|[x.*-]+|(your|my|insert|paste|put|change|replace|enter).*(token|key|here|me)"
    r"|.{0,20}token)": "must be your own token, not the placeholder from an example",
}


def _check_token(secret: SecretStr) -> SecretStr:
    for mistake, problem in _TOKEN_MISTAKES.items():
        if re.fullmatch(mistake, secret.get_secret_value(), re.IGNORECASE | re.DOTALL):
            raise ValueError(problem)
    return secret


def _check_api_url(url: HttpUrl) -> HttpUrl:
    is_safe = url.scheme == "https" or is_loopback((url.host or "").strip("[]"))
    if not is_safe or url.username or url.password or url.query or url.fragment:
        raise ValueError(_UNSAFE_URL)
    if (url.path or "").rstrip("/").endswith("/v1"):
        raise ValueError("must be without /v1 at the end")
    return url


def _guild_ids(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    # A lone comma is an error, since an empty list would mean every server.
    if not parts or not all(re.fullmatch(r"[1-9]\d{0,19}", part, re.ASCII) for part in parts):
        raise ValueError("must be server ids with commas between them, such as 111111111111111111")
    return [int(part) for part in parts]


def _shard_ids(text: str) -> tuple[int, ...]:
    """Parse numbers and ranges such as 0-3,8."""
    ranges = [re.fullmatch(r"(\d{1,4})(?:-(\d{1,4}))?", part.strip(), re.ASCII) for part in text.split(",")]
    found = [range(int(each[1]), int(each[2] or each[1]) + 1) for each in ranges if each]
    if len(found) < len(ranges) or not all(found):
        raise ValueError("must be shard numbers with commas between them, or a range, such as 0-3")
    return tuple(sorted({number for each in found for number in each}))


def _model_ids(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names or not all(MODEL_ID.fullmatch(name) for name in names):
        raise ValueError(
            "must be model ids with commas between them, such as google/nano-banana-2/text-to-image"
        )
    return names


class _FileProblem(str):
    """Stands for the value of a setting whose file can't be used."""

    __slots__ = ()


def _from_files(variables: Mapping[str, str | None]) -> dict[str, str]:
    """Return the settings whose `NAME_FILE` names a file, as Docker and Kubernetes mount secrets."""
    return {
        name: (
            _FileProblem(f"must be set once, and {name.upper()}_FILE is set too")
            if variables.get(name)
            else _read_setting(path)
        )
        for name in Config.model_fields
        if (path := variables.get(f"{name}_file"))
    }


def _read_setting(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(_FILE_BYTES_MAX + 1)
        text = content.decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        return _FileProblem(f"can't be read from {path}: {error.strerror}")
    except ValueError:  # not UTF-8, or a null byte in the path
        return _FileProblem(f"must be UTF-8 text in {path}")
    if len(content) > _FILE_BYTES_MAX:
        return _FileProblem(f"must be at most {_FILE_BYTES_MAX // 1024} KB in {path}")
    return text or _FileProblem(f"must be in {path}, but that file is empty")


_ApiUrl: TypeAlias = Annotated[HttpUrl, AfterValidator(_check_api_url)]
_Hosts: TypeAlias = Annotated[AllowedHosts, NoDecode, BeforeValidator(AllowedHosts.parse)]
_Token: TypeAlias = Annotated[SecretStr, AfterValidator(_check_token)]
_Quotas: TypeAlias = Annotated[Quotas, NoDecode, BeforeValidator(parse_quotas)]
_Usd: TypeAlias = Annotated[
    Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=6)] | None,
    BeforeValidator(lambda text: None if text == "unlimited" else text),
]
_Jobs: TypeAlias = Annotated[int, Field(gt=0, le=10_000)]
_Proxy: TypeAlias = Annotated[str, AfterValidator(parse_proxy)] | None


class Config(BaseSettings):
    """Every variable with its default; `.env.example` explains each one."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # other programs can share .env
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,  # defaults are not text
    )

    discord_token: _Token
    runcomfy_token: _Token
    runcomfy_api_url: _ApiUrl = HttpUrl("https://model-api.runcomfy.net")
    runcomfy_file_hosts: _Hosts = AllowedHosts.parse("*.runcomfy.net,*.runcomfy.com")
    database_url: Annotated[DatabaseUrl, BeforeValidator(parse_database_url)] = Path("data/bot.db")
    files_dir: Path | None = None
    default_quota: _Quotas = (Quota(10, Period.DAY),)
    max_quota: _Quotas = (Quota(100, Period.DAY),)
    default_pool: _Quotas = ()
    max_pool: _Quotas = ()
    budget: _Quotas = (Quota(1000, Period.MONTH),)
    budget_usd: _Usd = None
    budget_alarm: Annotated[int, Field(gt=0, le=100)] = 80
    max_jobs: _Jobs = 20
    max_jobs_per_user: _Jobs = 3
    max_jobs_per_guild: _Jobs = 10
    max_polls_per_second: Annotated[
        int,
        Field(gt=0, le=1000, validation_alias=AliasChoices("max_polls_per_second", "max_looks_per_second")),
    ] = 300
    deadline_seconds: Annotated[int, Field(gt=0, le=86_400)] = 1800
    files_max_gb: Annotated[float, Field(gt=0, le=100_000)] = 5
    files_days: Annotated[int, Field(gt=0, le=3650)] = 7
    originals_max_gb: Annotated[float, Field(gt=0, le=100_000)] = 5
    originals_days: Annotated[int, Field(gt=0, le=3650)] = 7
    prompts_days: Annotated[int, Field(gt=0, le=3650)] | None = None
    models: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_model_ids)] = (
        "google/nano-banana-2/text-to-image",
        "google/nano-banana-2/edit",
        "google/nano-banana-2-lite/text-to-image",
        "google/nano-banana-2-lite/edit",
    )
    file_inputs: Annotated[Literal["data", "url"], BeforeValidator(str.lower)] = "data"
    guilds: Annotated[frozenset[int], NoDecode, BeforeValidator(_guild_ids)] = frozenset()
    shard_count: Annotated[int, Field(ge=0, le=_SHARDS_MAX)] = 0
    shard_ids: Annotated[tuple[int, ...], NoDecode, BeforeValidator(_shard_ids)] = ()
    discord_proxy: _Proxy = None
    http_proxy: _Proxy = None
    https_proxy: _Proxy = None
    no_proxy: str = ""
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(str.upper)] = "INFO"
    log_format: Annotated[Literal["text", "json"], BeforeValidator(str.lower)] = "text"
    health_port: Annotated[int, Field(gt=0, le=65_535)] | None = None
    health_host: IPvAnyAddress = IPv4Address("127.0.0.1")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the library's folders of secrets)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Add the settings in files that `NAME_FILE` variables name."""
        variables: dict[str, str | None] = {}
        for source in (dotenv_settings, env_settings):
            if isinstance(source, EnvSettingsSource):
                variables.update(source.env_vars)
        files = InitSettingsSource(settings_cls, _from_files(variables))
        return init_settings, files, env_settings, dotenv_settings

    @field_validator("*", mode="before")
    @classmethod
    def _strip(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, _FileProblem):
            raise ValueError(str(value))  # noqa: TRY004 (pydantic reports only this one)
        if not isinstance(value, str) or str(info.field_name).endswith("_token"):
            return value
        if re.fullmatch(r"\s*([\"']).*\1\s*", value, re.DOTALL):
            raise ValueError(_QUOTED)
        return value.strip()

    @field_validator("shard_ids")
    @classmethod
    def _check_shard_ids(cls, numbers: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        count = info.data.get("shard_count")  # missing if it is invalid, which is reported by itself
        if count == 0:
            raise ValueError("must come with SHARD_COUNT, the number of all shards")
        if count and numbers[-1] >= count:
            raise ValueError(f"must be numbers from 0 to {count - 1}, because SHARD_COUNT is {count}")
        return numbers

    @property
    def proxies(self) -> Proxies:
        """The proxies for RunComfy and its files."""
        return Proxies(self.http_proxy, self.https_proxy, self.no_proxy)

    @property
    def files_root(self) -> Path:
        """The folder of all files: FILES_DIR, or the folder of the database file."""
        if self.files_dir:
            return self.files_dir
        return self.database_url.parent if isinstance(self.database_url, Path) else Path("data/files")

    @property
    def secrets(self) -> list[str]:
        """What must not be logged or printed: tokens, the database's password, the logins of proxies."""
        tokens: tuple[object, ...] = (
            self.discord_token,
            self.runcomfy_token,
        )  # `check` reads invalid ones too
        proxies = (self.discord_proxy, self.http_proxy, self.https_proxy)
        return [
            *(token.get_secret_value() for token in tokens if isinstance(token, SecretStr)),
            *([self.database_url.password] if isinstance(self.database_url, PostgresUrl) else []),
            *proxy_credentials(*proxies),
        ]


class _OldNames(BaseSettings):
    model_config = Config.model_config

    max_looks_per_second: str = ""


def load() -> Config:
    """Read the configuration from the environment and `.env` in the working directory, and hide its secrets.

    Raises:
        ConfigError: Lists every problem by the name of its variable, never with its value.
    """
    try:
        settings = Config()  # the fields come from the environment
    except UnicodeDecodeError:
        raise ConfigError([".env must be a text file in UTF-8"]) from None
    except ValidationError as error:
        problems = [_problem(each["loc"], each["type"], each["msg"]) for each in error.errors()]
        raise ConfigError([*dict.fromkeys(problems), *deprecations()]) from None
    log.hide(settings.secrets)
    return settings


def deprecations() -> list[str]:
    """Return a warning for each variable that is set under its old name."""
    if _OldNames().max_looks_per_second:
        return ["MAX_LOOKS_PER_SECOND is now called MAX_POLLS_PER_SECOND: rename it"]
    return []


def _problem(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(loc[0]).upper()
    if kind == "missing":
        return f"{name} is missing: set it in the environment or in .env"
    if kind.startswith("url_"):
        return f"{name} {_UNSAFE_URL}"
    if kind in _NOT_A_NUMBER:
        return f"{name} must be {_NOT_A_NUMBER[kind]}"
    # pydantic's own messages begin with "Input should be" or "value is not".
    message = message.removeprefix("Value error, ").replace("value is not", "must be")
    for theirs, ours in {"greater than or equal to": "at least", "less than or equal to": "at most"}.items():
        message = message.replace(theirs, ours)
    return f"{name} " + re.sub(r"^(Decimal i|I)nput should", "must", message)
