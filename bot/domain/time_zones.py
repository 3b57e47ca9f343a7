"""Time zones, as people name them: cities, offsets from UTC and abbreviations.

A stored name is an IANA name such as `Europe/Berlin`, or an offset such as `UTC+3` or `UTC+05:30`. IANA's own
fixed zones are not stored, since the signs of `Etc/GMT-3` are the opposite of what people expect.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale

# By quarter hours, in which usage is counted.
_OFFSET = re.compile(r"(?:utc|gmt|(msk|мск))?([+-])(\d{1,2})(?::?(00|15|30|45))?")
_MOSCOW = timedelta(hours=3)  # Russians count from it: MSK+2 is Yekaterinburg's time
_LOWEST, _HIGHEST = timedelta(hours=-12), timedelta(hours=14)
_NOT_CITIES = ("Etc/", "US/", "Canada/", "Brazil/")
_ABBREVIATIONS = {
    abbreviation: zone
    for zone, abbreviations in {
        "Europe/Moscow": "msk мск",
        "Europe/London": "bst",
        "CET": "cest",
        "EET": "eest",
        "America/New_York": "et est edt",
        "America/Chicago": "ct cdt",
        "America/Denver": "mt mst mdt",
        "America/Los_Angeles": "pt pst pdt",
        "Asia/Tokyo": "jst",
        "Asia/Seoul": "kst",
        "Asia/Hong_Kong": "hkt",
        "Asia/Singapore": "sgt",
        "Australia/Sydney": "aest aedt",
        "Pacific/Auckland": "nzst nzdt",
    }.items()
    for abbreviation in abbreviations.split()
}
"""Without those that mean several zones, such as CST and IST."""


def find_time_zone(text: str) -> str | None:
    """Return the stored name for what someone typed, such as "berlin", "Москва", "GMT+3" or "MSK"."""
    name = _normalized(text)
    found = _ABBREVIATIONS.get(name) or _names().get(name) or _cities().get(name) or text
    try:
        return canonical_name(found)
    except ValueError:
        return None


def canonical_name(name: str) -> str:
    """Return the stored name for an IANA name or an offset: `Etc/GMT-3` becomes `UTC+3`.

    Raises:
        ValueError: There is no such time zone.
    """
    offset = _offset(name)
    if offset is None:
        if _names().get(_normalized(name)) != name:
            raise ValueError("unknown time zone")
        offset = ZoneInfo(name).utcoffset(None)  # None unless it is fixed
    if offset is None:
        return name
    minutes = abs(offset) // timedelta(minutes=1)
    if not minutes:
        return "UTC"
    sign = "-" if offset < timedelta() else "+"
    whole = f"{minutes // 60:02}:{minutes % 60:02}" if minutes % 60 else str(minutes // 60)
    return f"UTC{sign}{whole}"


def to_tzinfo(name: str) -> tzinfo:
    """Return the time zone of a stored name."""
    offset = _offset(name)
    return ZoneInfo(name) if offset is None else timezone(offset, name)


def _offset(text: str) -> timedelta | None:
    """Return the offset from UTC that a text such as "GMT+3" states."""
    match = _OFFSET.fullmatch("".join(text.casefold().split()).replace("\N{MINUS SIGN}", "-"))
    if match is None:
        return None
    from_moscow, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    offset += _MOSCOW if from_moscow else timedelta()
    return offset if _LOWEST <= offset <= _HIGHEST else None


def _normalized(name: str) -> str:
    """Return a name without case, accents, and differences between spaces, hyphens and underscores."""
    letters = unicodedata.normalize("NFKD", name.casefold().strip())
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    return re.sub(r"[\s_-]+", "_", plain)


@cache
def _names() -> dict[str, str]:
    """Return all IANA names by their normalized form; available_timezones() walks a folder."""
    return {_normalized(name): name for name in sorted(available_timezones())}


@cache
def _cities() -> dict[str, str]:
    """Return IANA names by their cities, in English and Russian."""
    english, russian = (Locale(language).time_zones for language in ("en", "ru"))
    names = [name for name in _names().values() if "/" in name and not name.startswith(_NOT_CITIES)]
    names.sort(key=lambda name: name in russian)  # of several names for a city, the usual one is last
    found = {_normalized(name.rpartition("/")[2]): name for name in names}
    for old_name in map(str, russian):  # CLDR keeps names such as Europe/Kiev
        texts = [zones[old_name] for zones in (english, russian) if old_name in zones]
        cities = [_normalized(str(each["city"])) for each in texts if "city" in each]
        name = next((found[city] for city in cities if city in found), old_name)
        for city in cities:
            found.setdefault(city, name)
    return found
