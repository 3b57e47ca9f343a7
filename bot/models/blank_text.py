"""Detection of texts that show nothing."""

from __future__ import annotations

from typing import Final

import regex

# Default_Ignorable_Code_Point covers zero-width characters, variation selectors, tags and the Hangul fillers.
# \p{M} alone has nothing to combine with. The last ones are letters and symbols that are drawn as nothing:
# Braille blank, two blank hieroglyphs, null notehead and the object replacement character.
_NOTHING: Final = regex.compile(
    r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}\s\u2800\U00013441\U00013442\U0001D159\uFFFC]*"
)


def is_blank(text: str) -> bool:
    """Return whether a text is empty or made only of characters that no one can see."""
    return _NOTHING.fullmatch(text) is not None
