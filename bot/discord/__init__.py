"""Everything shared that knows Discord: the client, its limits and errors, responses and delivery."""
