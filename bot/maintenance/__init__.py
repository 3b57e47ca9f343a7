"""Periodic tasks: late results, costs, deletions and file cleanup."""
