"""Charts as PNG files: their data, and the process that renders them."""
