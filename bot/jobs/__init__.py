"""Jobs: what a cog may ask for, and what carries each one to its end."""
