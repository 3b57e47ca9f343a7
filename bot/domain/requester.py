"""The member who made a request, and the channel that they made it in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Requester:
    """The validated facts of a Discord interaction: who, where, and how to respond."""

    interaction_id: int
    guild_id: int
    channel_id: int
    user_id: int
    role_ids: frozenset[int] = frozenset()
    """The member's roles, without @everyone."""
    parent_channel_id: int | None = None
    """The parent channel if `channel_id` is a thread, else None."""
    is_age_restricted: bool = False
    """Whether the channel is age-restricted."""
    locale: str
    token: str
    """The interaction's webhook token, valid for 15 minutes from `interaction_at`."""
    interaction_at: datetime
    file_limit: int
    """Discord's maximum size of an attachment in this response, in bytes (`attachment_size_limit`)."""
    answered_message_id: int | None = None
    """The message that Discord shows above the response, since it has the button that was pressed."""
    agreed_credits: Decimal = Decimal(0)
    """How many credits they have agreed to spend when asked; see `takes_most`."""
