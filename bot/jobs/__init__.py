"""Jobs: the operations of the cogs, and the runner that takes each job from its first status to its last."""
