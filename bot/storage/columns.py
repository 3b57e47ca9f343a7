"""How times and amounts are stored: as integers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_CEILING, Decimal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_epoch_ms(time: datetime) -> int:
    """Return whole milliseconds since 1970 (UTC), rounded down."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def from_epoch_ms(milliseconds: int) -> datetime:
    """Return the aware UTC time of a number of milliseconds since 1970."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def to_centicredits(credits: Decimal) -> int:
    """Return credits as whole hundredths."""
    return int(credits * 100)


def from_centicredits(centicredits: int) -> Decimal:
    """Return the credits of a number of hundredths."""
    return Decimal(centicredits) / 100


def to_microdollars(usd: Decimal) -> int:
    """Return US dollars as whole millionths, rounded up so that a budget is never exceeded."""
    return int((usd * 1_000_000).to_integral_value(ROUND_CEILING))


def from_microdollars(microdollars: int) -> Decimal:
    """Return the US dollars of a number of millionths."""
    return Decimal(microdollars) / 1_000_000
