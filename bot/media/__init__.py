"""Image files: decoding, copies small enough for Discord, and storage until delivery."""
