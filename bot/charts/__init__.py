"""Charts as PNG files: what they show, and the process that renders them."""
