"""The client of RunComfy's API and the download of its output files."""

from bot.runcomfy.client import RunComfyClient
from bot.runcomfy.download import Downloader
from bot.runcomfy.errors import RateLimitedError
from bot.runcomfy.responses import Cancelled, Completed, InProgress, InQueue, Result, Status, Unknown

__all__ = [
    "Cancelled",
    "Completed",
    "Downloader",
    "InProgress",
    "InQueue",
    "RateLimitedError",
    "Result",
    "RunComfyClient",
    "Status",
    "Unknown",
]
