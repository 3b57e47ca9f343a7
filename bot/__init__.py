"""The bot itself: jobs, quotas, RunComfy and storage. Of its modules only `client` and `app` know Discord."""
