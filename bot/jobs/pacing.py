"""When to look again at a job that RunComfy works on."""

from __future__ import annotations

_LIVELY_SECONDS = 15 * 60


def pause_seconds(unmoved_seconds: float) -> float:
    """How long to wait before the next look: one second after a change, longer the longer nothing moves.

    A finished image has to be in Discord within six seconds, download and upload included, so the pauses of a
    job that moves end at three.
    """
    if unmoved_seconds > _LIVELY_SECONDS:
        return 15.0
    return min(3.0, max(1.0, unmoved_seconds / 10))
