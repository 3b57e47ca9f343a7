"""A local RunComfy for tests and the playground; its images are drawn landscapes."""

from playground.runcomfy.api import Submit
from playground.runcomfy.faults import (
    Fault,
    drip,
    edit_json,
    flood,
    reset,
    respond,
    stall,
    trickle,
    truncate,
    wait_for,
    with_content_type,
)
from playground.runcomfy.server import Call, LocalRunComfy

__all__ = [
    "Call",
    "Fault",
    "LocalRunComfy",
    "Submit",
    "drip",
    "edit_json",
    "flood",
    "reset",
    "respond",
    "stall",
    "trickle",
    "truncate",
    "wait_for",
    "with_content_type",
]
