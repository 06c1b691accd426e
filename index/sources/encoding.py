"""From a file's bytes to its text.

Goes in: bytes. Comes out: text with `\n` at the end of every line, and in words what a user should know where
the bytes were not plain UTF-8. Knows nothing of formats.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from index.errors import SourceError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""In this order: UTF-16's mark begins UTF-32's."""
_CONTROLS = bytes(code for code in range(32) if code not in b"\t\n\v\f\r")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_CONTROL_CHARACTERS = dict.fromkeys(_CONTROLS)
_TEXT_AT_LEAST = 33
"""Bytes of text for each control character; binary data have one in some ten bytes."""
_SAMPLE = 20_000
"""Bytes by which an encoding is guessed."""
_LINE_END = re.compile(r"\r+\n|\r")
"""Windows', old Macs', and what programs make of Windows' on the way."""
_HIGH = re.compile(rb"[\x80-\xff]+")
_OTHER_SCRIPT = 3
"""Mean length of a run of bytes beyond ASCII from which they are another script, and no accents."""


def decode(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    """The text, and notes. Raises `SourceError` where it is none."""
    text, notes = _decoded(data, name)
    return (_LINE_END.sub("\n", text) if "\r" in text else text), notes


def lines_of(text: str) -> Iterator[str]:
    """The lines with their ends. `io.StringIO` would hold the text again, at four bytes a character; `splitlines` knows other ends."""
    at = 0
    while (end := text.find("\n", at)) >= 0:
        yield text[at : end + 1]
        at = end + 1
    if at < len(text):
        yield text[at:]


def _decoded(data: bytes, name: str) -> tuple[str, tuple[str, ...]]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decoded_by_mark(data[len(bom) :], encoding, name)
    if b"\0" in data and (wide := _wide(data)):
        return _decoded_by_mark(data, wide, name)
    data, notes = _without_controls(data, name)
    try:
        return data.decode(), notes
    except UnicodeDecodeError:
        text, note = _by_lines(data)
        return text, (*notes, note)


def _decoded_by_mark(data: bytes, encoding: str, name: str) -> tuple[str, tuple[str, ...]]:
    if encoding == "utf-8":
        return _decoded(data, name)
    try:
        text = data.decode(encoding).translate(_CONTROL_CHARACTERS)
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(encoding, "replace").count("\n") + 1
        raise SourceError(name, f"this is {encoding.upper()[:6]} text, damaged here: save it as UTF-8", line) from error
    return text, ()


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, where it is beyond doubt: every other byte is NUL, or nearly."""
    sample = data[: _SAMPLE // 2 * 2]
    if len(data) % 2 or len(sample) < 4:
        return None
    even, odd = sample[::2].count(0) * 2 / len(sample), sample[1::2].count(0) * 2 / len(sample)
    if odd > 0.5 and even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > 0.5 and odd < 0.02 else None


def _without_controls(data: bytes, name: str) -> tuple[bytes, tuple[str, ...]]:
    """The bytes without control characters (no text means anything by them, and a terminal obeys them)."""
    first = _CONTROL.search(data)
    if first is None:
        return data, ()
    line = data.count(b"\n", 0, first.start()) + 1
    clean = data.translate(None, delete=_CONTROLS)
    removed = len(data) - len(clean)
    if removed * _TEXT_AT_LEAST > len(data):
        raise SourceError(name, "this is a binary file: papers are read from text; save or export it as such", line)
    characters = f"{removed} control characters were" if removed > 1 else "a control character was"
    return clean, (f"{characters} left out (NUL or the like), {'first' if removed > 1 else ''} in line {line}".replace("  ", " "),)


def _by_lines(data: bytes) -> tuple[str, str]:
    """Lines that are UTF-8 as such, the others in an older encoding: exports of several programs are put together."""
    lines: list[str | bytes] = []
    for line in data.split(b"\n"):
        try:
            lines.append(line.decode())
        except UnicodeDecodeError:
            lines.append(line)
    others = [line for line in lines if isinstance(line, bytes)]
    encoding = _older_encoding(b"\n".join(others))
    first = next(number for number, line in enumerate(lines, 1) if isinstance(line, bytes))
    text = "\n".join(line if isinstance(line, str) else line.decode(encoding, "replace") for line in lines)
    count = f"{len(others)} lines, the first of them line {first}," if len(others) > 1 else f"line {first}"
    were = "are not UTF-8 and were" if len(others) > 1 else "is not UTF-8 and was"
    return text, f"{count} {were} read as {encoding}: if letters look wrong, save the file as UTF-8"


def _older_encoding(data: bytes) -> str:
    """Western Europe's, where what is beyond ASCII are single letters in words; else what the bytes are most likely to be."""
    runs = _HIGH.findall(data[:_SAMPLE])
    if _is("cp1252", data) and not (runs and sum(map(len, runs)) / len(runs) >= _OTHER_SCRIPT):
        return "cp1252"
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE]).best()
    if best is not None and best.encoding != "utf_8":
        return best.encoding
    return "cp1252" if _is("cp1252", data) else "latin-1"


def _is(encoding: str, data: bytes) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
