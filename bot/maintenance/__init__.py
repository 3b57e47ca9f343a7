"""Periodic work: late results, costs, deletions, old files."""
