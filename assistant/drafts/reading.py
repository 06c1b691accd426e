"""A draft's sentences, each with its line and what it cites; and what the draft says of the works it cites.

Goes in: the text of a Markdown, LaTeX or plain file. Comes out: the sentences of its prose, markup gone, and references by
key. Headings, code, display mathematics, tables, figures and the list of references are no sentences. Markdown is read by
markdown-it, LaTeX's commands by `index.latex`. Everything that is cut out leaves its line ends, so that lines stay right.
Knows nothing of the library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from index.latex import decoded
from index.paper import collapse
from index.sentences import sentence_spans

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_LONGEST_INLINE = 20_000
"""Characters of a Markdown paragraph whose marks are read; a longer one is taken as it stands."""
_FEWEST_WORDS = 4
"""Words of a sentence that may say something of a paper; fewer are labels."""
_BREAK = "\x00"
"""Stands where a paragraph ends within a line; no text holds it."""
_REFERENCES = re.compile(
    r"\W*(?:\d{1,2}\.?\s+)?(?:references|bibliography|works cited|literature(?: cited)?|reference list)\W*", re.IGNORECASE
)
_NUMBERED = re.compile(r"^[ \t]{0,8}(?:\[(\d{1,4})\]:?|(\d{1,4})[.)])[ \t]+(?=\S)", re.MULTILINE)
_CITED = re.compile(
    r"\[(?=[^\[\]\n]{0,500}@)(?P<group>[^\[\]]{1,500})\]|\[(?P<numbers>\d{1,4}(?:\s?[,;–-]\s?\d{1,4}){0,30})\]|(?<![\w@.])@(?P<word>[\w](?:[\w:.#$%&+?<>~/-]*\w)?)"
)
_KEY = re.compile(r"@(\w(?:[\w:.#$%&+?<>~/-]*\w)?)")
_RANGE = re.compile(r"(\d+)\s?[–-]\s?(\d+)")
_LONGEST_RANGE = 30
_STOP = re.compile(r"[.!?][\"')\]”’]*\s*$")

_LEFT_OUT = (
    "equation align gather multline eqnarray displaymath math alignat flalign verbatim Verbatim lstlisting minted tabular tabularx "
    "longtable table figure wrapfigure algorithm algorithmic tikzpicture thebibliography comment filecontents"
).split()
_ENVIRONMENT = re.compile(rf"\\(begin|end)\s?\{{({'|'.join(_LEFT_OUT)})(\*?)\}}")
_DISPLAY = re.compile(r"\\\[|\\\]|\$\$")
_COMMENT = re.compile(r"(?<!\\)(?:\\\\){0,20}(%[^\n]*)")
_CITE = re.compile(r"\\([A-Za-z]*[cC]ite[A-Za-z]*)\*?\s?((?:\[[^\[\]]{0,200}\]){0,2})\{([^{}]{1,2000})\}")
_TEXTUAL = re.compile(r"(?:[Tt]ext|author)|[cC]ite(?:t|al[tp]|alt)$")
_HEADING = re.compile(
    r"\\(?:part|chapter|(?:sub){0,2}section|(?:sub)?paragraph|title|author|date|affiliation|institute|email|keywords|maketitle)\b\*?\s?(?:\[[^\[\]]{0,200}\])?"
)
_DROPPED = re.compile(
    r"\\(?:label|ref|eqref|autoref|[cC]ref|pageref|includegraphics|input|include|bibliography|bibliographystyle|addbibresource|usepackage|"
    r"documentclass|vspace|hspace|url|nocite|thanks|begin|end|newcommand|renewcommand|setcounter|pagestyle|thispagestyle)\b\*?"
    r"(?:\s?\[[^\[\]]{0,200}\])?\s?\{[^{}]{0,300}\}"
)
_BRACE = re.compile(r"[{}]")
_HREF = re.compile(r"\\href\s?\{[^{}]{0,1000}\}")
_PARAGRAPH = re.compile(r"\\(?:item|par|noindent|bigskip|medskip|smallskip|newpage|clearpage)\b(?:\s?\[[^\[\]]{0,200}\])?")
_BIBITEM = re.compile(r"\\bibitem\s?(?:\[[^\[\]]{0,300}\])?\s?\{([^{}]{1,200})\}")
_BIB_FILES = re.compile(r"\\(?:bibliography|addbibresource)\s?(?:\[[^\[\]]{0,200}\])?\{([^{}]{1,1000})\}")
_YAML_BIB = re.compile(r"^bibliography:[ \t]*(\S.{0,1000})?$((?:\n[ \t]*-[ \t]+\S.{0,500}$){0,50})", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")


@dataclass(frozen=True)
class Sentence:
    """A sentence of a draft."""

    line: int
    """Where it begins, from 1."""
    text: str
    """Without markup and citations."""
    cites: tuple[str, ...]
    """The keys or numbers that it cites, in order; a link to a paper counts as its own key."""


@dataclass(frozen=True)
class Draft:
    """A draft as far as it can be checked."""

    sentences: tuple[Sentence, ...]
    references: dict[str, str]
    """What its own list says of a key or number."""
    bibliographies: tuple[str, ...]
    """The BibTeX files that it names, as it names them."""


@dataclass(frozen=True)
class _Block:
    """A paragraph: its text has the source's line ends."""

    line: int
    text: str
    links: tuple[tuple[int, str], ...] = ()
    """Where a link stands, and where it leads."""


def read_draft(text: str, suffix: str) -> Draft:
    """The draft in a text; `suffix` is its file's: `.tex`, `.md`, or any other for plain text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(_BREAK, " ").removeprefix("\ufeff")
    read = _READERS.get(suffix.lower(), _plain)
    blocks, references, files = read(text)
    return Draft(tuple(sentence for block in blocks for sentence in _sentences(block)), references, files)


_Read = tuple[list[_Block], dict[str, str], tuple[str, ...]]


def _plain(text: str) -> _Read:
    body, references = _parted(text, lambda line: bool(_REFERENCES.fullmatch(line)))
    blocks = [block for block in _paragraphs(body) if "\n" in block.text.strip() or _STOP.search(block.text)]
    return [block for block in blocks if "|" not in block.text and "\t" not in block.text.strip()], references, ()


def _markdown(text: str) -> _Read:
    from markdown_it import MarkdownIt

    files: tuple[str, ...] = ()
    if front := _FRONT_MATTER.match(text):
        files = tuple(name.strip("\"' ") for found in _YAML_BIB.finditer(front[0]) for name in _yaml_names(found) if name.strip("\"' "))
        text = "\n" * front[0].count("\n") + text[front.end() :]
    is_references = re.compile(r"(?:#{1,6}[ \t]+|\*\*)" + _REFERENCES.pattern, re.IGNORECASE)
    body, references = _parted(text, lambda line: bool(is_references.fullmatch(line) or _REFERENCES.fullmatch(line)))
    body = _without_display(body, re.compile(r"\$\$"))
    environment: dict[str, Any] = {}
    tokens = MarkdownIt("commonmark").enable("table").disable("inline").parse(body, environment)
    inline = MarkdownIt("commonmark")
    blocks = [
        _inline(token, inline, environment)
        for before, token in pairwise(tokens)
        if before.type == "paragraph_open" and token.type == "inline"
    ]
    return blocks, references, files


def _yaml_names(found: re.Match[str]) -> list[str]:
    first = (found[1] or "").strip("[] ")
    return [*first.split(","), *(line.strip().removeprefix("-").strip() for line in (found[2] or "").splitlines())]


def _inline(token: Token, inline: MarkdownIt, environment: dict[str, Any]) -> _Block:
    """A paragraph's text as it is read."""
    line = (token.map or [0, 0])[0] + 1
    if len(token.content) > _LONGEST_INLINE:
        return _Block(line, token.content)
    parts: list[str] = []
    links: list[tuple[int, str]] = []
    length, opened = 0, ""
    for child in inline.parseInline(token.content, environment)[0].children or ():
        said = "\n" if child.type in {"softbreak", "hardbreak"} else child.content if child.type in {"text", "code_inline"} else ""
        if child.type == "link_open":
            opened = str(child.attrs.get("href", ""))
            links.append((length, opened))
        elif child.type == "link_close":
            opened = ""
        elif opened and (said.strip(" []").isdecimal() or said == opened):
            said = ""  # a number, or an address that stands for itself, is no word of the sentence
        parts.append(said)
        length += len(said)
    return _Block(line, _mathematics_read("".join(parts)), tuple(links))


def _mathematics_read(text: str) -> str:
    """Figures in `$…$` as people read them, its line ends kept."""
    return "\n".join(_read_line(line) for line in text.split("\n")) if "$" in text or "\\" in text else text


def _read_line(line: str) -> str:
    return re.sub(r"\$[^$\n]{1,300}\$", lambda found: decoded(found[0]), line)


def _latex(text: str) -> _Read:
    text = _COMMENT.sub(lambda found: found[0][: found.start(1) - found.start()], text)
    files = tuple(name.strip() for found in _BIB_FILES.finditer(text) for name in found[1].split(",") if name.strip())
    references = _bibitems(text)
    begin, end = text.find(r"\begin{document}"), text.find(r"\end{document}")
    body = text[:end] if end >= 0 else text
    if begin >= 0:
        body = "\n" * body.count("\n", 0, begin) + body[begin:]
    body = _without_display(_without_environments(body), _DISPLAY)
    body = _without_headings(body)
    body = _CITE.sub(_as_pandoc, body)
    body = _HREF.sub(
        _line_ends, _DROPPED.sub(lambda found: _line_ends(found, _BREAK if found[0].startswith((r"\begin", r"\end")) else ""), body)
    )
    body = _PARAGRAPH.sub(lambda found: _line_ends(found, _BREAK), body)
    return [_Block(block.line, "\n".join(map(_latex_line, block.text.split("\n")))) for block in _paragraphs(body)], references, files


def _latex_line(line: str) -> str:
    """A line, its commands read. `@` and brackets of citations stay; white space at its ends, too."""
    return decoded(line) if line.strip() else ""


def _as_pandoc(found: re.Match[str]) -> str:
    """`\\citep{a,b}` as `[@a; @b]`, `\\citet{a}` as `@a`."""
    keys = [key.strip() for key in found[3].split(",") if key.strip()]
    # Keys hold characters that LaTeX reads otherwise, so they pass as they are in a form that it does not know.
    marks = "; ".join(f"@{key}" for key in keys).replace("_", "\\_").replace("&", "\\&").replace("#", "\\#").replace("%", "\\%")
    ends = "\n" * found[0].count("\n")
    return (f"{marks}" if _TEXTUAL.search(found[1]) and len(keys) == 1 else f"[{marks}]") + ends


def _without_environments(text: str) -> str:
    """Environments that hold no prose become their line ends; nested ones end with the outermost."""
    parts, at, depth, begun = [], 0, 0, 0
    for found in _ENVIRONMENT.finditer(text):
        if found[1] == "begin":
            if depth == 0:
                parts.append(text[at : found.start()])
                begun = found.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                at = found.end()
                parts.append(_BREAK * (found[2] not in {"equation", "math"}) + "\n" * text.count("\n", begun, at))
    rest = begun if depth else at  # one that is never closed is prose, for all that is known
    return "".join([*parts, text[rest:]])


def _without_display(text: str, mark: re.Pattern[str]) -> str:
    """Display mathematics becomes its line ends."""
    parts, at, begun = [], 0, -1
    for found in mark.finditer(text):
        if begun < 0 and found[0] != r"\]":
            begun = found.start()
            parts.append(text[at:begun])
            at = begun
        elif begun >= 0 and found[0] != r"\[":
            parts.append(" " + "\n" * text.count("\n", begun, found.end()))
            at, begun = found.end(), -1
    return "".join([*parts, text[at:]])


def _without_headings(text: str) -> str:
    """Headings become their line ends, and end the paragraph before them."""
    parts, at = [], 0
    for found in _HEADING.finditer(text):
        if found.start() < at:
            continue
        end = _group_end(text, found.end())
        parts += [text[at : found.start()], _BREAK + "\n" * text.count("\n", found.start(), end)]
        at = end
    return "".join([*parts, text[at:]])


_LONGEST_HEADING = 1000


def _group_end(text: str, at: int) -> int:
    """Where the group that begins here ends; here, where none does."""
    if text[at : at + 1] != "{":
        return at
    depth = 0
    for brace in _BRACE.finditer(text, at, at + _LONGEST_HEADING):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.end()
    return at


def _line_ends(found: re.Match[str], before: str = "") -> str:
    return before + "\n" * found[0].count("\n")


def _bibitems(text: str) -> dict[str, str]:
    found = list(_BIBITEM.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)] * bool(found)
    return {
        each[1].strip(): collapse(decoded(text[each.end() : end].split(r"\end{thebibliography}")[0].replace(r"\newblock", " ")))
        for each, end in zip(found, ends, strict=True)
    }


def _parted(text: str, begins_references: Callable[[str], bool]) -> tuple[str, dict[str, str]]:
    """The text before its list of references, and the list by number."""
    place = 0
    for line in text.splitlines(keepends=True):
        if begins_references(line.strip()) and line.strip():
            return text[:place], _numbered(text[place + len(line) :])
        place += len(line)
    return text, {}


def _numbered(text: str) -> dict[str, str]:
    found = list(_NUMBERED.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)] * bool(found)
    return {(each[1] or each[2]): collapse(text[each.end() : end]) for each, end in zip(found, ends, strict=True)}


def _paragraphs(text: str) -> Iterator[_Block]:
    """What blank lines and breaks part."""
    line, begun, lines = 1, 1, list[str]()
    for row in text.split("\n"):
        for number, part in enumerate(row.split(_BREAK)):
            if (number or not part.strip()) and lines:
                yield _Block(begun, "\n".join(lines))
                lines = []
            if part.strip():
                begun = begun if lines else line
                lines.append(part)
        line += 1
    if lines:
        yield _Block(begun, "\n".join(lines))


def _sentences(block: _Block) -> Iterator[Sentence]:
    """The sentences of a paragraph, with what each cites."""
    cited: list[tuple[int, str]] = list(block.links)

    def taken(found: re.Match[str]) -> str:
        keys = _keys(found)
        cited.extend((found.start(), key) for key in keys)
        blank = re.sub(r"[^\n]", " ", found[0])
        return blank if found["word"] is None else "They".ljust(len(found[0]))[: len(found[0])]

    plain = _CITED.sub(taken, block.text)
    flat = plain.replace("\n", " ")
    spans = sentence_spans(flat)
    held: list[list[str]] = [[] for _ in spans]
    for place, key in sorted(cited, key=lambda each: each[0]):
        owner = max((number for number, (start, _) in enumerate(spans) if start <= place), default=0)
        if held and key not in held[owner]:
            held[owner].append(key)
    for (start, end), keys in zip(spans, held, strict=True):
        text = re.sub(r" (?=[.,;:])", "", collapse(flat[start:end]))
        if len(re.findall(r"[^\W\d_]{2,}", text)) >= _FEWEST_WORDS:
            yield Sentence(block.line + plain.count("\n", 0, start), text, tuple(keys))


def _keys(found: re.Match[str]) -> list[str]:
    if found["word"] is not None:
        return [found["word"]]
    if found["group"] is not None:
        return _KEY.findall(found["group"])
    whole = _RANGE.sub(_spelled_out, found["numbers"])
    return re.findall(r"\d+", whole)


def _spelled_out(ends: re.Match[str]) -> str:
    first, last = int(ends[1]), int(ends[2])
    return ", ".join(map(str, range(first, last + 1))) if first < last <= first + _LONGEST_RANGE else ends[0]


_READERS: dict[str, Callable[[str], _Read]] = {
    ".md": _markdown,
    ".markdown": _markdown,
    ".qmd": _markdown,
    ".rmd": _markdown,
    ".tex": _latex,
}
