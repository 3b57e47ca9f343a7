"""The settings, from the environment and `.env`: frozen, typed, checked all at once, secrets hidden."""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.domain.quota import Period, Quota, Quotas, parse_quotas
from bot.errors import ConfigError
from bot.runcomfy.allowed_hosts import AllowedHosts, is_loopback
from bot.runcomfy.proxies import Proxies, parse_proxy

_PORT_MAX = 65_535
LogLevel: TypeAlias = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat: TypeAlias = Literal["text", "json"]
_DATABASE_SCHEME = "sqlite+aiosqlite:///"


_PLACEHOLDER = re.compile(
    r"<.*>|\$?\{.*\}|[x.*-]+|(your|my|insert|paste|put|change|replace|enter).*(token|key|here|me)|.{0,20}token",
    re.IGNORECASE,
)


def _token(secret: SecretStr) -> SecretStr:
    token = secret.get_secret_value()
    if token.startswith(("'", '"')) or token.endswith(("'", '"')):
        raise ValueError("must be without quotes; Docker's --env-file passes them on")
    if re.match(r"(Bot|Bearer)\s", token, re.IGNORECASE):
        raise ValueError("must be the token alone, without Bot or Bearer in front of it")
    if re.match(r"\w+_TOKEN\s*=", token):
        raise ValueError("must be the token alone, without its name in front of it")
    # Both services' tokens are printable ASCII; a pasted line break would end in an unreadable header error.
    if not re.fullmatch(r"[!-~]{1,8192}", token):
        raise ValueError("must be a token: one word without spaces or line breaks")
    if _PLACEHOLDER.fullmatch(token) and not re.search(r"\d", token):
        raise ValueError("must be your own token, not the placeholder from an example")
    return secret


def _api_url(url: str) -> str:
    try:
        parts = urlsplit(url.rstrip("/"))
    except ValueError:  # its words quote the address
        parts = urlsplit("")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not is_safe or not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an https address (http only for this machine itself)")
    if parts.path.endswith("/v1"):
        raise ValueError("must be without /v1 at its end")
    return url.rstrip("/")


def _database_path(url: Any) -> Any:
    path = str(url).removeprefix(_DATABASE_SCHEME)
    if path in {"", url} or path.startswith(":"):  # :memory: would be two databases, one for each connection
        raise ValueError(f"must be {_DATABASE_SCHEME} and a file's path")
    return Path(path)


def _quotas(text: Any) -> Any:
    return parse_quotas(str(text).strip())


def _usd(text: Any) -> Any:
    if str(text).strip() == "unlimited":
        return None
    # Digits alone: Decimal itself also reads "NaN" and "1e9".
    if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", str(text).strip(), re.ASCII):
        raise ValueError("must be an amount in US dollars such as 25 or 12.50, or unlimited")
    return Decimal(str(text).strip())


def _file_hosts(text: Any) -> Any:
    return AllowedHosts.parse(str(text))


def _guild_ids(text: Any) -> Any:
    parts = [part.strip() for part in str(text).split(",") if part.strip()]
    # A lone comma names nobody, and must not come to mean everybody.
    if (str(text).strip() and not parts) or not all(
        re.fullmatch(r"\d{1,20}", part, re.ASCII) for part in parts
    ):
        raise ValueError("must be server ids, numbers with commas between them")
    return frozenset(map(int, parts))


def _number(kind: type[int | float], unit: str, most: int) -> BeforeValidator:
    """A positive number of something, with an error that says so."""

    def parse(text: Any) -> Any:
        try:
            number = kind(text)
        except ValueError:
            number = 0
        if not 0 < number <= most:  # also where it is no number at all, as "nan"
            a = "a whole number" if kind is int else "a number"
            raise ValueError(f"must be {a} of {unit}, more than 0 and at most {most}")
        return number

    return BeforeValidator(parse)


def _upper(level: Any) -> Any:
    if str(level).upper() not in get_args(LogLevel):
        raise ValueError(f"must be one of {', '.join(get_args(LogLevel))}")
    return str(level).upper()


def _port(text: Any) -> Any:
    if not re.fullmatch(r"\d{1,5}", str(text).strip(), re.ASCII) or not 0 < int(text) <= _PORT_MAX:
        raise ValueError(f"must be a port, a number from 1 to {_PORT_MAX}")
    return int(text)


def _address(text: Any) -> Any:
    try:
        return str(ip_address(str(text).strip()))
    except ValueError:
        raise ValueError("must be an IP address, such as 127.0.0.1 or 0.0.0.0") from None


def _log_format(text: Any) -> Any:
    if str(text).lower() not in get_args(LogFormat):
        raise ValueError(f"must be {' or '.join(get_args(LogFormat))}")
    return str(text).lower()


_Proxy: TypeAlias = Annotated[str, AfterValidator(parse_proxy)]
_Quotas: TypeAlias = Annotated[Quotas, NoDecode, BeforeValidator(_quotas)]


class Config(BaseSettings):
    """Everything that can be set, with its default; `.env.example` says what each is for."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",  # .env may serve other programs too
        frozen=True,
        hide_input_in_errors=True,
        validate_default=False,  # the defaults are values already, not text
    )

    discord_token: Annotated[SecretStr, AfterValidator(_token)]
    runcomfy_token: Annotated[SecretStr, AfterValidator(_token)]
    runcomfy_api_url: Annotated[str, AfterValidator(_api_url)] = "https://model-api.runcomfy.net"
    runcomfy_file_hosts: Annotated[AllowedHosts, NoDecode, BeforeValidator(_file_hosts)] = AllowedHosts.parse(
        "*.runcomfy.net,*.runcomfy.com"
    )
    database_url: Annotated[Path, BeforeValidator(_database_path)] = Path("data/bot.db")
    default_quota: _Quotas = (Quota(10, Period.DAY),)
    max_quota: _Quotas = (Quota(100, Period.DAY),)
    default_pool: _Quotas = ()
    max_pool: _Quotas = ()
    budget: _Quotas = (Quota(1000, Period.MONTH),)
    budget_usd: Annotated[Decimal | None, NoDecode, BeforeValidator(_usd)] = None
    budget_alarm: Annotated[int, _number(int, "per cent", 100)] = 80
    max_jobs: Annotated[int, _number(int, "jobs", 10_000)] = 20
    max_jobs_per_user: Annotated[int, _number(int, "jobs", 10_000)] = 3
    max_jobs_per_guild: Annotated[int, _number(int, "jobs", 10_000)] = 10
    max_looks_per_second: Annotated[int, _number(int, "looks", 1000)] = 300
    deadline_seconds: Annotated[int, _number(int, "seconds", 86400)] = 1800
    files_max_gb: Annotated[float, _number(float, "gigabytes", 100_000)] = 5
    files_days: Annotated[int, _number(int, "days", 3650)] = 7
    guilds: Annotated[frozenset[int], NoDecode, BeforeValidator(_guild_ids)] = frozenset()
    discord_proxy: _Proxy | None = None
    http_proxy: _Proxy | None = None
    https_proxy: _Proxy | None = None
    no_proxy: str = ""
    log_level: Annotated[LogLevel, BeforeValidator(_upper)] = "INFO"
    log_format: Annotated[LogFormat, BeforeValidator(_log_format)] = "text"
    health_port: Annotated[int | None, BeforeValidator(_port)] = None
    health_host: Annotated[str, BeforeValidator(_address)] = "127.0.0.1"

    @field_validator("*", mode="before")
    @classmethod
    def _unquoted(cls, value: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"\s*([\"']).*\1\s*", value, re.DOTALL):
            raise ValueError("must be without quotes; Docker's --env-file passes them on")
        return value

    @property
    def proxies(self) -> Proxies:
        """The proxies for RunComfy and its files."""
        return Proxies(self.http_proxy, self.https_proxy, self.no_proxy)


def load() -> Config:
    """Read the settings from the environment and `.env` in the working directory.

    Raises:
        ConfigError: With every problem there is, each naming its setting and never its value.
    """
    try:
        return Config()  # the fields come from the environment
    except UnicodeDecodeError:
        raise ConfigError([".env must be a text file in UTF-8"]) from None
    except ValidationError as error:
        raise ConfigError([_problem(e["loc"], e["type"], e["msg"]) for e in error.errors()]) from None


def _problem(loc: tuple[int | str, ...], kind: str, message: str) -> str:
    name = str(loc[0]).upper()
    if kind == "missing":
        return f"{name} is missing: set it in the environment or in .env"
    return f"{name} {message.removeprefix('Value error, ')}"
