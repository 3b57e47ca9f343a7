"""A server's rules and its word filter."""
