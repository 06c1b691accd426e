"""Reads lists of papers in Markdown: under headings, in list items, in paragraphs that begin with a bold or linked title, in tables.

Goes in: the text. Comes out: an entry for each title that links to a paper or has an abstract under it: a block after `Abstract`,
or prose right below the title. A note that begins with fields between two lines of `---` (Obsidian, Zotero's notes, Hugo) is one paper.
Structure decides: where papers are not what the text mainly consists of (a README, release notes, a licence) it is no list of papers.
Knows no list in particular.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from index.errors import SourceError
from index.paper import Entry, collapse
from index.sources import json_records
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, doi_of, plain, pmid_of
from index.sources.named import FIELDS_OF, entry_of, folded

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKS = re.compile(r"^ {0,12}(?:#{1,6} |[-*+] |\d{1,4}[.)] |\*\*|\||\[)", re.MULTILINE)
_SIGNS = re.compile(
    r"arxiv\.org/|arxiv:\s?\d|doi\.org/|huggingface\.co/papers/|\babstract\b|^ {0,3}\|.{0,200}\b(?:title|papers?)\b",
    re.IGNORECASE | re.MULTILINE,
)
_LOOKED_AT = 150_000
_LONGEST_INLINE = 20_000
"""Characters of a block whose marks are read; a longer one is taken as it stands."""
_LABEL = re.compile(r"\W{0,6}(?:abstract|summary of the paper)(?:\s*[:.—–-]+\s*|\s*$|\n|\][-+]?\s)", re.IGNORECASE)
_FRONT = re.compile(r"\A\ufeff?---[ \t]*\n(?=[A-Za-z])(.{0,20000}?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)
"""The fields of a note, in YAML."""
_TITLE_LABEL = re.compile(r"(?:\d{1,3}[.)]\s+)?(?:(?:paper )?title\s*:\s*)?", re.IGNORECASE)
_ABSTRACT_SUMMARY = re.compile(r"<summary>[^<]{0,40}abstract[^<]{0,40}</summary>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>")
_PROSE = 150
_STOP = re.compile(r"[.!?][\"')\]”’*_]*(?:\s|$)")
_NUMBER = re.compile(r"^(?:\W{0,3}\d{1,4}[.)\]:]\s+|[^\w\"“'(\[$]+)")
_PAPER_HOSTS = re.compile(
    r"https?://(?:www\.)?(?:openreview\.net/(?:forum|pdf)|aclanthology\.org/\w|aclweb\.org/anthology/\w|(?:www\.)?semanticscholar\.org/paper/|"
    r"proceedings\.mlr\.press/v|openaccess\.thecvf\.com/content|(?:papers|proceedings)\.n(?:eur)?ips\.cc/paper|dl\.acm\.org/doi|"
    r"ieeexplore\.ieee\.org/(?:abstract/)?document|pubmed\.ncbi\.nlm\.nih\.gov/\d|(?:www\.)?ncbi\.nlm\.nih\.gov/(?:pubmed|pmc/articles)/|"
    r"(?:www\.)?(?:bio|med)rxiv\.org/content|link\.springer\.com/(?:article|chapter)/|(?:www\.)?sciencedirect\.com/science/article/|"
    r"(?:www\.)?nature\.com/articles/|hal\.science/|papers\.ssrn\.com/)",
    re.IGNORECASE,
)
_LINK_WORDS = frozenset(
    "paper publication pdf arxiv code project website link blog abs abstract html video slides demo dataset github data page poster "
    "bibtex doi homepage model models weights supplement openreview acl official url source preprint here "
    "projectpage webpage available".split()
)
_DETAIL = re.compile(r"^\W{0,6}([A-Za-z][A-Za-z /-]{2,24}?)\W{0,3}:\W{0,4}(\S.{0,2000})$", re.MULTILINE)
_MOST_BLOCKS = 40
"""Blocks that are about a title which is no heading."""
_MOST_HEADINGS = 3
"""Headings below a title that are about the same paper: `Abstract`, `Keywords`, `Notes`."""
_FEWEST = 3
_SHARE = 3
"""One in so many blocks, at least, tells of a paper where the text is a list of papers."""


@dataclass(frozen=True)
class _Block:
    kind: str
    """`h1` to `h6`, `item`, `text`, `quote`, `code`, `html`."""
    depth: int
    """Of the lists around it."""
    line: int
    raw: str


@dataclass(frozen=True)
class _Inline:
    """What stands in a block."""

    title: str
    """A linked or bold text that it begins with, or all before the first link of a few letters."""
    rest: str
    """What follows the title."""
    text: str
    """All of it."""
    links: tuple[str, ...]
    marked: bool
    """Whether the title is linked, bold or quoted."""


@dataclass(frozen=True)
class _Candidate:
    start: int
    end: int
    """The blocks that are about it: from its title up to the next."""
    entry: Entry
    own_link: bool
    labelled: bool
    """Whether its abstract is called so."""


def recognise(text: str) -> bool:
    """Markdown that consists mainly of papers."""
    start = text[:_LOOKED_AT]
    if _note(start, "") is not None:
        return True
    if not _MARKS.search(start) or not (_SIGNS.search(start) or _PAPER_HOSTS.search(start)):
        return False
    blocks, tables = _blocks(start)
    return bool(_papers(blocks)) or any(_table_entries(table) for table in tables)


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of the list. Raises `SourceError` where the text is no list of papers."""
    if (note := _note(text, source)) is not None:
        return sorted_out(source, [note], "paper in this note")
    blocks, tables = _blocks(text)
    found: list[Entry] = [candidate.entry for candidate in _papers(blocks)]
    found += [entry for table in tables for entry in _table_entries(table)]
    if not found:
        raise SourceError(source, "this Markdown is no list of papers: a title links to its paper, or has its abstract under it")
    found.sort(key=lambda entry: entry.line)
    return sorted_out(source, found, "paper in this list")


def _note(text: str, source: str) -> Entry | None:
    """The paper that the fields of a note tell of, with the abstract among them or below; None where they tell of none."""
    import yaml

    front = _FRONT.match(text)
    if front is None:
        return None
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(front[1], Loader=yaml.BaseLoader)):
            return None  # a few lines of which could stand for millions
        told = yaml.load(front[1], Loader=yaml.BaseLoader)  # all values are texts
    except (yaml.YAMLError, RecursionError):
        return None
    found = json_records.records_of(json.dumps(told), source, 1) if isinstance(told, dict) else []
    if len(found) != 1 or not isinstance(found[0], Entry):
        return None
    entry = found[0]
    if not entry.abstract:
        blocks = [_Block("h1", 0, 1, entry.title), *_blocks(text[front.end() :])[0]]
        inlines: dict[int, _Inline] = {}
        abstract, labelled = _abstract(blocks, 0, len(blocks), inlines, _inline(blocks, 0, inlines))
        entry = replace(entry, abstract=abstract if labelled else "")
    return entry if entry.abstract or entry.doi or entry.arxiv_id or entry.pmid else None


# Which blocks are papers


def _papers(blocks: Sequence[_Block]) -> list[_Candidate]:
    inlines: dict[int, _Inline] = {}
    found: list[_Candidate] = []
    at = 0
    while at < len(blocks):
        candidate = _candidate(blocks, at, inlines)
        if candidate is not None and (candidate.own_link or candidate.labelled):
            found.append(candidate)
            at = candidate.end
        else:
            at += 1
    told = sum(candidate.end - candidate.start for candidate in found)
    counted = sum(not block.kind.startswith("h") or block.kind == "html" for block in blocks)
    if len(found) >= _FEWEST:
        return found if told * _SHARE >= counted else []
    return found if told >= 0.8 * counted and any(candidate.entry.abstract for candidate in found) else []


def _candidate(blocks: Sequence[_Block], at: int, inlines: dict[int, _Inline]) -> _Candidate | None:
    """What would be the paper that this block is the title of."""
    block = blocks[at]
    if block.kind in ("code", "html", "quote"):
        return None
    head = _inline(blocks, at, inlines)
    if not head.title or (block.kind == "text" and not head.marked):
        return None
    end = _end(blocks, at)
    own_link = any(map(_is_paper, head.links)) and _is_title(head.title) and not (block.kind == "text" and _is_prose(head.title))
    abstract, labelled = _abstract(blocks, at, end, inlines, head)
    if block.kind[0] == "h" and not own_link and abstract and folded(head.title) not in _LINK_WORDS:
        own_link = any(map(_is_paper, head.links)) or (_is_title(head.title) and _is_identified(blocks, at, end, inlines))
    if labelled and not own_link and not _is_title(head.title):
        return None
    if not own_link and not (labelled and _is_of_one_paper(blocks, at, end, inlines)):
        return None
    entry = _entry(blocks, at, end, inlines, head, abstract)
    return _Candidate(at, end, entry, own_link, labelled)


def _end(blocks: Sequence[_Block], at: int) -> int:
    """The next block that is not about the title at `at`."""
    block = blocks[at]
    last = len(blocks) if block.kind[0] == "h" else min(len(blocks), at + _MOST_BLOCKS)
    for other in range(at + 1, last):
        one = blocks[other]
        if one.kind[0] == "h" and one.kind != "html":
            if block.kind[0] != "h" or one.kind <= block.kind:
                return other
        elif one.depth < block.depth or _begins_beside(one, block):
            return other
    return last


def _begins_beside(one: _Block, block: _Block) -> bool:
    """Whether a block begins another record of the kind that `block` begins: an item, or a paragraph with a marked title."""
    if one.kind == "item":
        return one.depth == block.depth and block.kind in ("item", "text")
    return block.kind == one.kind == "text" and _begins_marked(one.raw)


def _begins_marked(raw: str) -> bool:
    """Whether a paragraph may begin with a title: bold or linked, and no label."""
    return raw.lstrip("0123456789.) ").startswith(("**", "__", "[")) and not _LABEL.match(raw) and not _is_detail(raw)


def _is_of_one_paper(blocks: Sequence[_Block], at: int, end: int, inlines: dict[int, _Inline]) -> bool:
    """Whether what stands below a title is about it alone: no code, hardly a heading, no further titles that link to papers."""
    below = range(at + 1, end)
    heads = sum(blocks[other].kind[0] == "h" and blocks[other].kind != "html" for other in below)
    if heads > _MOST_HEADINGS or any(blocks[other].kind == "code" for other in below):
        return False
    read = [_inline(blocks, other, inlines) for other in below if blocks[other].kind not in ("html", "quote")]
    if sum(_LABEL.match(one.text) is not None for one in read) > 1:
        return False
    return not any(_is_title(one.title) and one.marked and any(map(_is_paper, one.links)) for one in read)


def _is_identified(blocks: Sequence[_Block], at: int, end: int, inlines: dict[int, _Inline]) -> bool:
    """Whether the lines of details below a heading name just one paper, by its number or a link."""
    read = [_inline(blocks, other, inlines) for other in range(at + 1, end) if blocks[other].kind not in ("code", "html", "quote")]
    short = [one for one in read if not _is_prose(one.text)]
    named = [arxiv_id_of(one.text) or doi_of(one.text) for one in short] + [
        arxiv_id_of(link) or doi_of(link) for one in short for link in one.links
    ]
    return len(set(filter(None, named))) == 1


def _is_title(text: str) -> bool:
    named = folded(text) in _LINK_WORDS or set(text.casefold().split()) <= _LINK_WORDS  # `Paper available`, of a link
    return not named and 8 <= len(text) <= 400 and " " in text and not _LABEL.match(text)


def _is_prose(text: str) -> bool:
    return len(text) >= _PROSE and _STOP.search(text) is not None


def _is_detail(text: str) -> bool:
    """Whether a block tells a detail of a paper: `Authors: …`. `Background: …` begins an abstract."""
    found = _DETAIL.match(text.split("\n")[0][:200])
    return found is not None and any(field not in ("title", "abstract") for field, _ in FIELDS_OF.get(folded(found[1]), ()))


def _is_nested(one: _Block, block: _Block) -> bool:
    return one.kind == "item" and one.depth > block.depth


def _is_paper(link: str) -> bool:
    return bool(arxiv_id_of(link) or doi_of(link) or _PAPER_HOSTS.match(link))


# What a paper's blocks tell


def _abstract(blocks: Sequence[_Block], at: int, end: int, inlines: dict[int, _Inline], head: _Inline) -> tuple[str, bool]:
    """The abstract below a title, and whether it is called so."""
    if (label := re.search(r"(?:^|\n)\W{0,6}abstract\s*\W{0,6}[:.—–-]\W{0,6}", head.rest, re.IGNORECASE)) is not None:
        return plain(head.rest[label.end() :]), True
    for other in range(at + 1, end):
        block = blocks[other]
        if block.kind == "html" and _ABSTRACT_SUMMARY.search(block.raw):
            inner = plain(_TAG.sub(" ", _ABSTRACT_SUMMARY.sub(" ", block.raw)))
            return inner or _following(blocks, other + 1, end, inlines, called=True), True
        text = "" if block.kind in ("code", "html") else _inline(blocks, other, inlines).text
        if label := _LABEL.match(text):
            told = plain(text[label.end() :])
            more = "" if block.kind == "item" and told else _following(blocks, other + 1, end, inlines, called=not told, begun=bool(told))
            return f"{told} {more}".strip(), True
    if blocks[at].kind == "item" and _is_prose(head.rest) and "\n" in head.rest:
        return plain(head.rest.split("\n", 1)[1]), False
    if blocks[at].kind == "item":
        quoted = (_inline(blocks, other, inlines).text for other in range(at + 1, end) if blocks[other].kind == "quote")
        if prose := next(filter(_is_prose, quoted), ""):
            return plain(prose), False
        nested = (_inline(blocks, other, inlines) for other in range(at + 1, end) if _is_nested(blocks[other], blocks[at]))
        whole = (one.text for one in nested if _is_prose(one.text) and not one.links and not _is_detail(one.text))
        if prose := next((text for text in whole if len(_STOP.findall(text)) > 1), ""):  # one sentence is a remark
            return plain(prose), False
    return _following(blocks, at + 1, end, inlines), False


def _following(
    blocks: Sequence[_Block], start: int, end: int, inlines: dict[int, _Inline], called: bool = False, begun: bool = False
) -> str:
    """The prose from a block on, after short lines of details, up to what is no prose; where it is called so, any first block."""
    texts: list[str] = []
    for other in range(start, end):
        block = blocks[other]
        text = _inline(blocks, other, inlines).text if block.kind in ("text", "quote") else ""
        if text and ((called and not texts) or (_is_prose(text) and not _is_detail(text))):
            texts.append(plain(text))
        elif texts or begun or block.kind not in ("text", "quote"):
            break
    return " ".join(texts)


def _entry(blocks: Sequence[_Block], at: int, end: int, inlines: dict[int, _Inline], head: _Inline, abstract: str) -> Entry:
    below = [_inline(blocks, other, inlines) for other in range(at + 1, end) if blocks[other].kind not in ("code", "html")]
    short = [one for one in below if not _is_prose(one.text)]
    links = [*head.links, *(link for one in short for link in one.links)]
    details = _details("\n".join([head.rest, *(one.text for one in short)]))
    entry = entry_of(details, blocks[at].line)
    url = next((link for link in links if _is_paper(link)), None) or next(iter(links), None)
    return replace(
        entry,
        title=_TITLE_LABEL.sub("", plain(head.title)),
        abstract=abstract,
        url=entry.url or url,
        arxiv_id=entry.arxiv_id or next((one for told in (*links, *(one.text for one in short)) if (one := arxiv_id_of(told))), None),
        doi=entry.doi or next((one for link in links if (one := doi_of(link))), None),
        pmid=entry.pmid or next((one for link in links if "://" in link and (one := pmid_of(link))), None),
    )


def _details(text: str) -> dict[str, list[object]]:
    """`Authors: …`, `Venue: …`, one a line; an abstract and a title are found by their place."""
    found: dict[str, list[object]] = {}
    for line in _DETAIL.finditer(text):
        for field, _ in FIELDS_OF.get(folded(line[1]), ()):
            if field not in ("title", "abstract"):
                found.setdefault(field, []).append(line[2].strip(" *_"))
    return found


# From Markdown to blocks


@lru_cache(maxsize=1)
def _block_reader() -> MarkdownIt:
    """Parts a text into blocks, and leaves what stands in them as it is."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark").enable("table")
    reader.core.ruler.disable("inline")
    return reader


@lru_cache(maxsize=1)
def _inline_reader() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")


def _blocks(text: str) -> tuple[list[_Block], list[list[tuple[int, list[str]]]]]:
    """The blocks of the text in order, and its tables."""
    blocks: list[_Block] = []
    tables: list[list[tuple[int, list[str]]]] = []
    depth = quotes = 0
    heading, fresh, in_table = "", False, False
    for token in _block_reader().parse(text.lstrip("\ufeff").replace("\0", " ")):
        line = token.map[0] + 1 if token.map else 1
        if token.type in ("bullet_list_open", "ordered_list_open", "bullet_list_close", "ordered_list_close"):
            depth += token.nesting
        elif token.type == "list_item_open":
            fresh = True
        elif token.type in ("blockquote_open", "blockquote_close"):
            quotes += token.nesting
        elif token.type == "heading_open":
            heading = token.tag
        elif token.type in ("table_open", "table_close"):
            in_table = token.nesting > 0
            if in_table:
                tables.append([])
        elif token.type == "tr_open" and tables:
            tables[-1].append((line, []))
        elif token.type == "inline" and in_table:
            tables[-1][-1][1].append(token.content)
        elif token.type == "inline":
            kind = heading or ("quote" if quotes else "item" if fresh and depth else "text")
            blocks.append(_Block(kind, depth, line, token.content))
            heading, fresh = "", False
        elif token.type in ("fence", "code_block", "html_block"):
            blocks.append(_Block("html" if token.type == "html_block" else "code", depth, line, token.content))
    return blocks, tables


def _inline(blocks: Sequence[_Block], at: int, inlines: dict[int, _Inline]) -> _Inline:
    if at not in inlines:
        inlines[at] = _read_inline(blocks[at].raw)
    return inlines[at]


def _read_inline(raw: str) -> _Inline:
    if len(raw) > _LONGEST_INLINE:
        return _Inline("", raw, raw, (), False)
    tokens = _inline_reader().parseInline(raw)[0].children or []
    links = tuple(str(token.attrs.get("href", "")) for token in tokens if token.type == "link_open")
    title, used, marked = _title(tokens)
    rest = _text(tokens[used:])
    return _Inline(title, rest, _text(tokens), (*links, *re.findall(r"https?://[^\s<>()\[\]\"']+", rest)), marked)


def _title(tokens: Sequence[Token]) -> tuple[str, int, bool]:
    """The title that a block begins with, the number of tokens that it takes, and whether it is marked as one."""
    depth = 0
    start: int | None = None
    before = ""
    for at, token in enumerate(tokens):
        if token.type in ("softbreak", "hardbreak") and depth == 0:
            return _unmarked(before, at)
        if token.type in ("link_open", "strong_open", "em_open") and depth == 0:
            if _NUMBER.sub("", before).strip(" \"“'*[("):
                return _unmarked(before, at)
            start = at
        depth += token.nesting if token.type.endswith(("_open", "_close")) else 0
        if start is not None and depth == 0:
            inner = collapse(_text(tokens[start : at + 1])).strip(' "“”[]')
            if _is_title(inner) or (start == 0 and at + 1 == len(tokens) and inner and folded(inner) not in _LINK_WORDS):
                return inner, at + 1, True
            start, before = None, before
        elif start is None and token.type in ("text", "code_inline"):
            before += token.content
    return _unmarked(before, len(tokens))


def _unmarked(before: str, used: int) -> tuple[str, int, bool]:
    text = collapse(_NUMBER.sub("", before)).strip(" -–—:·|[(")
    quoted = re.match(r"[\"“]([^\"“”]{8,300})[\"”]", text)
    return (quoted[1].strip(" ,."), used, True) if quoted else (text, used, False)


def _text(tokens: Sequence[Token]) -> str:
    return "".join("\n" if token.type in ("softbreak", "hardbreak") else token.content for token in tokens if token.type != "image")


def _table_entries(table: Sequence[tuple[int, list[str]]]) -> list[Entry]:
    """The entries of a table whose first row names a column of titles and another."""
    if len(table) < 2:
        return []
    fields = [FIELDS_OF.get("title" if folded(cell) in ("paper", "papers") else folded(cell), ()) for cell in table[0][1]]
    if not any(field == "title" for known in fields for field, _ in known) or sum(map(bool, fields)) < 2:
        return []
    found = []
    for line, cells in table[1:]:
        values: dict[str, list[object]] = {}
        links: list[str] = []
        for cell, known in zip(cells, fields, strict=False):
            inline = _read_inline(cell)
            links += inline.links
            for field, _ in known:
                values.setdefault(field, []).append(inline.text)
        links = [link for link in links if _is_paper(link)]
        values.setdefault("url", []).extend(links[:1])
        entry = entry_of(values, line)
        if entry.title:
            found.append(entry)
    return found


FORMAT = Format("Markdown list of papers", (".md", ".markdown"), recognise, parse)
