"""Takes HTML's and JATS' markup out of a text: tags, entities, also those escaped twice.

Goes in: a title or an abstract as a source holds it. Comes out: its words. Only what is certainly
markup goes: a known tag, closed and with nothing but attributes in it, so that `a < b and c > d`
and tokens like `<mask>` or `<s>` stay. Knows nothing of LaTeX.
"""

from __future__ import annotations

import html
import re

_INLINE = (
    "i|b|em|strong|it|italic|bold|sc|small|big|tt|u|font|span|code|mark|cite|abbr|q|tex|roman|monospace|underline|"
    "styled-content|named-content"
)
_BLOCK = (
    "p|br|div|ul|ol|li|h[1-6]|hr|blockquote|section|sec|table|thead|tbody|tr|td|th|dl|dt|dd|pre|center|"
    "abstracttext|inline-formula|disp-formula|tex-math|list|list-item"
)
_ATTRIBUTES = r"(?:\s+[\w:.-]+\s*=\s*(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'<>]+))*\s*/?>"
_PREFIXED = re.compile(r"</?(?:jats|mml|xhtml|xref|ns\d):([a-z-]+)" + _ATTRIBUTES, re.IGNORECASE)
_INLINE_TAG = re.compile(rf"</?(?:{_INLINE}){_ATTRIBUTES}", re.IGNORECASE)
_BLOCK_TAG = re.compile(rf"</?(?:{_BLOCK}){_ATTRIBUTES}", re.IGNORECASE)
_LINK = re.compile(rf"</a\s*>|<a(?=\s){_ATTRIBUTES}", re.IGNORECASE)
_SCRIPT = re.compile(r"<(su[bp])>([^<>]{0,200})</\1>", re.IGNORECASE)
_LONE_SCRIPT = re.compile(r"</?su[bp]>", re.IGNORECASE)
_COMMENT = re.compile(r"<!--[^<>]*-->|<!\[CDATA\[|\]\]>")
_WORDS_OF_PREFIXED = re.compile(
    r"(?:italic|bold|su[bp]|sc|underline|monospace|ext-link|xref|styled-content|named-content|m[a-z]+)", re.IGNORECASE
)

_NUMBER = re.compile(r"[-−–+]?\d+(?:[.,/]\d+)?")
_ORDINAL = re.compile(r"st|nd|rd|th|[®™†‡*]", re.IGNORECASE)

_ENTITY = re.compile(r"&(?:amp;)*((?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31}));")
_GREEK = {
    f"{case(name)}gr": case(char)
    for name, char in zip("a b g d e z ee th i k l m n x o p r s t u ph kh ps oh".split(), "αβγδεζηθικλμνξοπρστυφχψω", strict=True)
    for case in (str.lower, str.upper)
}
"""ISO's names, as publishers write them: `&agr;`, `&OHgr;`."""
_ESCAPED_TWICE = 3
"""How often entities may be escaped: `&amp;lt;i&amp;gt;` is twice."""


def without_html(text: str) -> str:
    """The text without HTML's or JATS' tags and entities; linear, and idempotent on what it gives."""
    for _ in range(_ESCAPED_TWICE):
        if "&" not in text or (unescaped := _ENTITY.sub(_character, text)) == text:
            break
        text = unescaped
    if "<" not in text:
        return text
    text = _COMMENT.sub("", text)
    text = _PREFIXED.sub(_unprefixed, text)
    text = _LINK.sub("", _INLINE_TAG.sub("", text))
    text = _SCRIPT.sub(_html_script, text)
    return _BLOCK_TAG.sub(" ", _LONE_SCRIPT.sub("", text))


def _character(entity: re.Match[str]) -> str:
    name = entity[1]
    char = _GREEK.get(name) or html.unescape(f"&{name};")
    return " " if char == "\xa0" else "" if char in "\xad\u200b" else char


def _unprefixed(tag: re.Match[str]) -> str:
    """`<jats:sub>` as `<sub>`; other words of a sentence close up, blocks keep their neighbours apart."""
    name = tag[1].lower()
    if name in ("sub", "sup"):
        return f"</{name}>" if tag[0].startswith("</") else f"<{name}>"
    return "" if _WORDS_OF_PREFIXED.fullmatch(name) else " "


def _html_script(found: re.Match[str]) -> str:
    return script(found, "^" if found[1].lower() == "sup" else "_", found[2])


def script(found: re.Match[str] | None, mark: str, content: str, before: str = "") -> str:
    """What is raised or lowered in a text: `CO<sub>2</sub>` as `CO2`, `Ca<sup>2+</sup>` as `Ca2+`, `m<sup>2</sup>` as `m^2`.

    No two figures ever become one: `10<sup>6</sup>` is `10^6`.
    """
    before = found.string[found.start() - 1 : found.start()] if found else before
    inner = content.strip()
    if not inner or not before or before.isspace():
        return inner
    number = mark == "^" and bool(_NUMBER.fullmatch(inner))
    return (
        mark + inner
        if number or ((before in ")]" or before.isdigit()) and inner[:1].isalnum() and not _ORDINAL.fullmatch(inner))
        else inner
    )
