"""What RunComfy's documentation leaves open, as switches of the local one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Acceptance: TypeAlias = Literal["accepted", "refused", "failing"]
"""Whether a kind of file input works, is refused at submit, or fails once the request runs."""


@dataclass
class Switches:
    """They can be changed at any time and apply to later calls."""

    data_uris: Acceptance = "accepted"
    urls: Acceptance = "accepted"
    echoes_input: bool = False
    """Whether a result repeats the input, with every data URI in it."""
    single_as_image: bool = False
    """Whether the output of one image is `image` instead of `images`."""
