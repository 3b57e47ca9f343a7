"""Periodic tasks: uncollected images, costs, deletions."""
