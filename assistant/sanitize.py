"""Text of others made plain: nothing hidden in it, nothing that acts when it is shown.

Goes in: text by authors, earlier turns, an LLM. Comes out: text that a reader sees as a program
does, without links, images or markup. Knows nothing of papers or prompts.
"""

from __future__ import annotations

import re
import unicodedata

LINK_REMOVED = "(link removed)"
"""Stands where a text of an LLM had an address."""

OPENING, CLOSING = "[［【〔〖〚⟦❲⦗⁅", "]］】〕〗〛⟧❳⦘⁆"
"""Brackets that can pass for those of a marker."""

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_HIDDEN_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Shown as nothing, though Unicode counts them as letters, marks or symbols."""
_HIDDEN_RANGES = ((0xFE00, 0xFE0F), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF))
"""Variation selectors, tags and what is reserved for their like: whole messages can be hidden in them."""

_ADDRESS = r"(?:[a-z][a-z0-9+.-]{1,20}://|(?:java|vb)script\s*:(?=\S)|data:(?=[\w-]+/)|mailto:(?=\S+@)|(?:file|blob):/|www\.)"
_LINK = re.compile(rf"!\[([^\[\]\n]*)\]\([^()\n]*\)?|\[([^\[\]\n]*)\]\(\s*<?(?://|{_ADDRESS})[^()\s]*[^()\n]*\)?", re.IGNORECASE)
_DEFINITION = re.compile(rf"\[([^\[\]\n]*)\]:\s*<?(?://|{_ADDRESS})\S*", re.IGNORECASE)
_BARE = re.compile(rf"<?\b{_ADDRESS}[^\s<>\"'\[\]]*[^\s<>\"'\[\].,;:!?)]>?", re.IGNORECASE)
_ATTRIBUTES = r"[\s/]+[\w:-]+\s*=[^<>\n]*>?"
_LONG_NAMES = (
    "abbr|audio|base|body|br|button|canvas|code|details|div|embed|em|form|frame|h[1-6]|head|hr|html|iframe|img|input|li|link|marquee|"
    "math|meta|object|ol|picture|pre|script|select|source|span|strong|style|sub|summary|sup|svg|table|td|template|textarea|th|title|"
    "tr|ul|video"
)
_TAG = re.compile(
    rf"</?(?:{_LONG_NAMES})(?:\s*/?>|{_ATTRIBUTES}|[\s/][^<>\n]*>)|</?[abipqsu](?:\s*/?>|{_ATTRIBUTES})|<!--.*?(?:-->|$)|<![a-z][^<>\n]*>",
    re.IGNORECASE,
)


def visible(text: str) -> str:
    """The text without characters that are not seen, line ends and tabs apart; halves of a character that was cut are joined."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text if text.isascii() and text.isprintable() else "".join(char for char in text if char in "\n\t" or not is_hidden(char))


def is_hidden(char: str) -> bool:
    """Whether a character is shown as nothing, or only changes how others are shown."""
    return (
        unicodedata.category(char) in _HIDDEN_CATEGORIES
        or char in _HIDDEN_LETTERS
        or any(first <= ord(char) <= last for first, last in _HIDDEN_RANGES)
    )


def without_markup(text: str) -> tuple[str, int]:
    """The text without links, images and HTML tags, and how many there were. A link's words stay."""
    text, links = _LINK.subn(lambda link: f"{link[1] or link[2] or ''} {LINK_REMOVED}".strip(), text)
    text, definitions = _DEFINITION.subn(rf"\1 {LINK_REMOVED}", text)
    text, tags = _TAG.subn(" ", text)
    text, bare = _BARE.subn(LINK_REMOVED, text)
    return text, links + definitions + tags + bare
