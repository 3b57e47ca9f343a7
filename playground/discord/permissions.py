"""Permissions that every member and bot has."""

from discord import Permissions

IN_DIRECT_MESSAGES = Permissions(
    attach_files=True, embed_links=True, mention_everyone=True, external_emojis=True
)


def default_permissions() -> Permissions:
    """Return the permissions of members and bots without any role or override."""
    permissions = Permissions(view_channel=True, send_messages=True, embed_links=True, attach_files=True)
    permissions.update(read_message_history=True, mention_everyone=True, use_application_commands=True)
    return permissions
