"""The models that the bot offers, built from the JSON schemas that RunComfy publishes."""
