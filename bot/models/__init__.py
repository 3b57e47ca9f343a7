"""The models that the bot offers: what RunComfy publishes about each, read and checked."""
