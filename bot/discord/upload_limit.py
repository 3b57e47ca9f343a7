"""How large a file in one request to Discord can be."""

REQUEST_LIMIT = 24 * 1024 * 1024
"""Discord takes 25 MiB per request, including the rest of the form."""


def upload_limit(file_limit: int) -> int:
    """Return the size of the largest file that fits, if Discord allows `file_limit` here; both in bytes."""
    return min(file_limit, REQUEST_LIMIT)
