"""The member who asks for something, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Requester:
    """Who asks, where, and how to answer: what a Discord interaction says, checked at the border."""

    interaction_id: int
    guild_id: int
    channel_id: int
    user_id: int
    role_ids: frozenset[int] = frozenset()
    """The roles that the member has here, that of everybody left out."""
    parent_channel_id: int | None = None
    """The channel that a thread belongs to; None where `channel_id` is no thread."""
    is_age_restricted: bool = False
    """Whether Discord shows this channel to adults only."""
    locale: str
    token: str
    """The interaction's webhook token: edits the answer for 15 minutes from `interaction_at`."""
    interaction_at: datetime
    file_limit: int
    """Bytes that Discord takes for a single file of this answer (`attachment_size_limit`)."""
