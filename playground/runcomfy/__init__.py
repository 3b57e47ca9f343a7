"""A local RunComfy for tests and for trying the bot; it paints instead of generating."""

from playground.runcomfy.api import Submit
from playground.runcomfy.faults import (
    Fault,
    answer,
    drip,
    edit,
    flood,
    reset,
    stall,
    trickle,
    truncate,
    typed,
)
from playground.runcomfy.server import Call, LocalRunComfy

__all__ = [
    "Call",
    "Fault",
    "LocalRunComfy",
    "Submit",
    "answer",
    "drip",
    "edit",
    "flood",
    "reset",
    "stall",
    "trickle",
    "truncate",
    "typed",
]
