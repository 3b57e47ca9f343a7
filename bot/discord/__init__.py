"""What discord.py leaves open; everything else uses the library as it is."""
