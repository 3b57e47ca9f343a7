"""What discord.py lacks; everything else uses the library as it is."""
