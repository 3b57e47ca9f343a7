"""Image files: decoding, copies that fit Discord, and the folder where they wait."""
