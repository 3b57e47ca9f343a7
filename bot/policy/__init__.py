"""What a server allows: rules set by its managers, and forbidden words."""
