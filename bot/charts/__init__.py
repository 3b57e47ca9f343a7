"""Charts as PNG files: what they show, the process that draws them, and the program that it runs."""
