"""`python -m bot check`: find out what keeps the bot from running well."""
