"""The result of one health check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ComponentHealth:
    """Status of one component: red needs the owner's attention, degraded recovers by itself."""

    status: Literal["ok", "degraded", "red"] = "ok"
    why: str = ""
