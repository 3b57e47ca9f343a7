"""RunComfy's API: its client, and the download of its output files."""
