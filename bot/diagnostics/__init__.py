"""`python -m bot check`: find problems that keep the bot from running well."""
