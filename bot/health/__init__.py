"""Whether the bot is well, and what it has done: `/healthz` and `/metrics`, where `HEALTH_PORT` is set."""
