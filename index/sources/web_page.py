"""Reads the HTML of pages that list papers: arXiv's lists, search results and abstracts, and Hugging Face's Papers.

Goes in: the text of a page as a browser saves it. Comes out: an entry for each paper. Papers' own pages of other sites are read
where they carry the meta tags that Google Scholar asks for. Every other page is refused. Runs nothing and fetches nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.errors import SourceError
from index.paper import Entry, Skipped
from index.sources import json_records
from index.sources.base import WAY_OUT, Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, authors_of, date_of, distinct, doi_of, keywords_of, names, plain, pmid_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_TAGS = re.compile(r"<(!doctype\s+html|html|head|body|meta|title|dl|div|article|main|link|script)(?=[\s>/])", re.IGNORECASE)
_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
"""Markdown's. Above it often stands a `div` that centres the file's name."""
_NO_BLANK = re.compile(r"[^\ufeff \t\r\n]")
_ELEMENT = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,20})")
_OFTEN_OPEN = frozenset("area base br col embed hr img input link meta source track wbr p li dt dd tr td th option".split())
"""Elements that need no end."""
_DEEPEST = 5_000
_LABEL = re.compile(r"(?:Title|Abstract|Authors?|Journal-ref|Journal ref|Comments|Subjects)\s*:\s*", re.IGNORECASE)
_CONTROLS = re.compile(r"\s*(?:△|▽)\s*(?:Less|More)\s*$")
_SUBMITTED = re.compile(r"(?:\[?Submitted on|Submitted)\s+([^;(\[\]]{4,40})")
_PAPER_LINK = re.compile(r"/papers/(\d{4}\.\d{4,5})$")
_DATES = ("citation_publication_date", "citation_date", "citation_online_date")
_CARD_PROSE = 120
"""Characters of a card's paragraph that is an abstract."""
_SHORTEST_TITLE = 8


def recognise(text: str) -> bool:
    """Begins as a page does: with its doctype, or a tag of HTML after comments."""
    at = _after_blanks(text, 0)
    while text.startswith(("<!--", "<?xml"), at):
        end = "-->" if text.startswith("<!--", at) else ">"
        closed = text.find(end, at)
        if closed < 0:
            return False
        at = _after_blanks(text, closed + len(end))
    tag = _TAGS.match(text, at)
    return tag is not None and (tag[1].lower() != "div" or _HEADING.search(text) is None)


def _after_blanks(text: str, at: int) -> int:
    found = _NO_BLANK.search(text, at)
    return found.start() if found else len(text)


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of the page. Raises `SourceError` where it is none of the known pages."""
    from selectolax.lexbor import LexborHTMLParser

    if _is_too_deep(text):
        raise SourceError(source, "this web page (HTML) is nested too deeply to be one that a browser saved: it is not read")
    page = LexborHTMLParser(text.encode("utf-8", "replace").decode())
    lines = _Lines(text)
    for read in (_arxiv_list, _arxiv_search, _embedded, _cards, _own_page):
        found = list(read(page, source, lines))
        if found:
            return sorted_out(source, found, "paper on this page")
    title = page.css_first("title")
    named = f" (“{plain(title.text())[:80]}”)" if title is not None else ""
    raise SourceError(
        source,
        f"this is a web page{named} on which no list of papers is known: of pages, arXiv's and Hugging Face's lists and papers are read; "
        f"{WAY_OUT}",
    )


def _is_too_deep(text: str) -> bool:
    """Whether more elements stand open at once than in any page made for people; the parser takes quadratic time on these."""
    depth = 0
    standing: Counter[str] = Counter()
    for tag in _ELEMENT.finditer(text):
        name = tag[2].lower()
        if name in _OFTEN_OPEN or (tag[1] and not standing[name]):
            continue
        step = -1 if tag[1] else 1
        standing[name] += step
        depth += step
        if depth > _DEEPEST:
            return True
    return False


class _Lines:
    """The lines of links, asked for in the page's order."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at, self._line = 0, 1

    def of(self, address: str) -> int:
        place = self._text.find(address, self._at) if address else -1
        if place >= 0:
            self._line += self._text.count("\n", self._at, place)
            self._at = place
        return self._line


def _arxiv_list(page: LexborHTMLParser, source: str, lines: _Lines) -> Iterator[Entry | Skipped]:
    """arxiv.org/list/…: a list of `dt` with the number and `dd` with the rest, under headings with the day."""
    day: str | None = None
    address = ""
    for node in page.css("dl#articles h3, h3, dl dt, dl dd"):
        if node.tag == "h3":
            day = date_of(node.text().partition("(")[0])
        elif node.tag == "dt":
            link = node.css_first('a[href*="/abs/"]')
            address = _href(link)
        elif title := node.css_first(".list-title"):
            yield Entry(
                _labelled(title),
                _labelled(node.css_first("p.mathjax, p")),
                lines.of(address),
                date=day,
                authors=names(one.text() for one in node.css(".list-authors a")) or authors_of(_labelled(node.css_first(".list-authors"))),
                arxiv_id=arxiv_id_of(f"arxiv.org{address[address.find('/abs/') :]}"),
                doi=None,
                venue=_labelled(node.css_first(".list-journal-ref")) or None,
                url=f"https://arxiv.org{address[address.find('/abs/') :]}",
                keywords=_subjects(_labelled(node.css_first(".list-subjects"))),
            )


def _arxiv_search(page: LexborHTMLParser, source: str, lines: _Lines) -> Iterator[Entry | Skipped]:
    """arxiv.org/search: one `li` for each result."""
    for node in page.css("li.arxiv-result"):
        address = _href(node.css_first('a[href*="/abs/"]'))
        title = node.css_first("p.title")
        if title is None:
            continue
        abstract = node.css_first(".abstract-full") or node.css_first(".abstract-short")
        submitted = _SUBMITTED.search(plain(node.text()))
        doi = node.css_first('a[href*="doi.org/"]')
        yield Entry(
            plain(title.text()),
            _CONTROLS.sub("", plain(abstract.text())) if abstract else "",
            lines.of(address),
            date=date_of(submitted[1]) if submitted else None,
            authors=names(one.text() for one in node.css("p.authors a")),
            arxiv_id=arxiv_id_of(address),
            doi=doi_of(_href(doi)),
            url=address or None,
            keywords=distinct(one.text().strip() for one in node.css("span.tag.tooltip")),
        )


def _embedded(page: LexborHTMLParser, source: str, lines: _Lines) -> Iterator[Entry | Skipped]:
    """huggingface.co/papers holds what it shows as JSON in an attribute."""
    for node in page.css("[data-props]"):
        props = node.attributes.get("data-props") or ""
        if "summary" not in props or "title" not in props:
            continue
        line = lines.of("data-props")
        found = json_records.records_of(props, source, line)
        yield from (one for one in found if isinstance(one, Skipped) or one.arxiv_id or one.abstract)


def _cards(page: LexborHTMLParser, source: str, lines: _Lines) -> Iterator[Entry | Skipped]:
    """The cards that huggingface.co/papers shows: a heading that links to the paper, and sometimes its abstract."""
    for card in page.css("article"):
        link = next((one for one in card.css("h1 a, h2 a, h3 a, h4 a") if _PAPER_LINK.search(_href(one))), None)
        if link is None or len(title := plain(link.text())) < _SHORTEST_TITLE:
            continue
        found = _PAPER_LINK.search(_href(link))
        number = found[1] if found else ""
        prose = next((text for one in card.css("p") if len(text := plain(one.text())) >= _CARD_PROSE), "")
        day = card.css_first("time")
        yield Entry(
            title,
            prose,
            lines.of(_href(link)),
            date=date_of(day.attributes.get("datetime") or day.text()) if day else None,
            arxiv_id=number or None,
            url=f"https://huggingface.co/papers/{number}",
        )


def _own_page(page: LexborHTMLParser, source: str, lines: _Lines) -> Iterator[Entry | Skipped]:
    """One paper's page: arXiv's, or any with the meta tags that Google Scholar asks for; or one of Hugging Face's Papers."""
    tags: dict[str, list[str]] = {}
    for node in page.css("meta[name][content]"):
        tags.setdefault((node.attributes.get("name") or "").lower(), []).append(node.attributes.get("content") or "")
    tag = {name: plain(values[0]) for name, values in tags.items()}
    quoted = page.css_first("blockquote.abstract")
    abstract = _labelled(quoted) or tag.get("citation_abstract") or _under_heading(page)
    heading = page.css_first("h1")
    address = _href(page.css_first('link[rel="canonical"]'))
    title = tag.get("citation_title") or (plain(heading.text()) if heading and _PAPER_LINK.search(address) else "")
    if not title:
        return
    yield Entry(
        title,
        abstract,
        lines.of("citation_title"),
        date=date_of(next((tag[name] for name in _DATES if name in tag), "")),
        authors=names(name for value in tags.get("citation_author", []) for name in (authors_of(value) if ";" in value else [value])),
        arxiv_id=arxiv_id_of(tag.get("citation_arxiv_id", "")) or arxiv_id_of(address),
        doi=doi_of(tag.get("citation_doi", "")),
        pmid=pmid_of(tag.get("citation_pmid", "")),
        venue=tag.get("citation_journal_title") or tag.get("citation_conference_title"),
        url=tag.get("citation_abstract_html_url") or address or None,
        keywords=distinct(word for value in tags.get("citation_keywords", []) for word in keywords_of(value)),
    )


def _under_heading(page: LexborHTMLParser) -> str:
    """The paragraphs that follow the heading `Abstract`, up to the next heading."""
    heading = next((one for one in page.css("h2, h3") if plain(one.text()).lower() == "abstract"), None)
    if heading is None or heading.parent is None:
        return ""
    texts: list[str] = []
    for node in heading.parent.css("h2, h3, p"):
        if node.tag != "p" and texts:
            break
        if node.tag == "p":
            texts.append(plain(node.text()))
    return " ".join(filter(None, texts))


def _subjects(text: str) -> tuple[str, ...]:
    """`cs.CL` of `Computation and Language (cs.CL)`."""
    return distinct(re.findall(r"\(([a-z-]{2,12}(?:\.[A-Za-z-]{2,12})?)\)", text)) or keywords_of(text)


def _labelled(node: LexborNode | None) -> str:
    """A node's text without the label in front of it: `Title: …`."""
    return _LABEL.sub("", plain(node.text()), count=1) if node is not None and _LABEL.match(plain(node.text())) else _text(node)


def _text(node: LexborNode | None) -> str:
    return plain(node.text()) if node is not None else ""


def _href(node: LexborNode | None) -> str:
    return (node.attributes.get("href") or "").strip() if node is not None else ""


FORMAT = Format("web page (HTML)", (".html", ".htm", ".xhtml"), recognise, parse)
