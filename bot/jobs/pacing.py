"""When to look again at a job that RunComfy works on."""

from __future__ import annotations

_YOUNG_SECONDS = 15 * 60


def pause_seconds(age_seconds: float) -> float:
    """How long to wait before the next look: one second at first, longer with the job's age.

    A finished image has to be in Discord within six seconds, download and upload included, so a young job's
    pauses end at three.
    """
    if age_seconds > _YOUNG_SECONDS:
        return 15.0
    return min(3.0, max(1.0, age_seconds / 10))
