"""Jobs: what a cog can do with them, and how each is run from its first status to its last."""
