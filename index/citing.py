"""Papers as references for other programs: BibTeX, RIS, CSL-JSON, Markdown; and the link to a paper. Pure functions.

Goes in: papers. Comes out: text that reference managers read. Titles and names are untrusted: nothing in them ends a field,
a line or an entry. A date without a year is left out. Knows nothing of how papers are chosen.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from index.errors import FormatError
from index.paper import Paper, collapse, fold

_BIBTEX = str.maketrans(
    {char: f"\\{char}" for char in "$&%#_{}"} | {"\\": r"{\textbackslash}", "^": r"{\textasciicircum}", "~": r"{\textasciitilde}"}
)
_UNBALANCED = str.maketrans({"{": r"{\textbraceleft}", "}": r"{\textbraceright}"})
"""BibTeX counts braces, escaped ones too."""
_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~$&!])")
_PARTICLES = frozenset("af al am bin da de del della den der di dos du el la le ten ter van vom von zu zum zur".split())
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)
_IN_URL = "/:?#@!&'()*+,;=%-._~[]"


def bibliography(papers: Sequence[Paper], form: str) -> str:
    """The papers in one of the `FORMATS`, in the given order. Raises `FormatError` for another."""
    if form not in FORMATS:
        raise FormatError(f"“{form}” is no form of references: choose one of {', '.join(FORMATS)}")
    return FORMATS[form](papers)


def link(paper: Paper) -> str | None:
    """Where the paper is found: its own link, else by its DOI, arXiv id or PubMed number; only ever http or https."""
    url = (paper.url or "").strip()
    if re.fullmatch(r"https?://[^\s<>\"\\^`{|}\x00-\x20\x7f]+", url, re.IGNORECASE):
        return quote(url, safe=_IN_URL)
    return _link_by_id(paper)


def name_parts(author: str) -> tuple[str, str]:
    """Family and given names; the given are empty where there is one name alone."""
    if "," in author:
        family, _, given = author.partition(",")
        return collapse(family), collapse(given)
    words = author.split()
    if len(words) < 2:
        return collapse(author), ""
    first = len(words) - (2 if len(words) > 2 and _SUFFIX.fullmatch(words[-1]) else 1)
    while first > 1 and words[first - 1].lower() in _PARTICLES:
        first -= 1
    return " ".join(words[first:]), " ".join(words[:first])


def keys(papers: Sequence[Paper]) -> list[str]:
    """A citation key for each paper: family name, year, a word of the title, and a part of its id; the same whatever else is cited."""
    found = [_key(paper, 6) for paper in papers]
    counts = Counter(found)
    return [key if counts[key] == 1 else _key(paper, 12) for key, paper in zip(found, papers, strict=True)]


def bibtex(papers: Sequence[Paper]) -> str:
    """BibTeX that biblatex reads as well."""
    return "\n".join(_bibtex(paper, key) for paper, key in zip(papers, keys(papers), strict=True))


def ris(papers: Sequence[Paper]) -> str:
    """RIS, a line a value."""
    return "\n".join("".join(f"{tag}  - {collapse(value)}\n" for tag, value in [*_ris(paper), ("ER", "")]) for paper in papers)


def csl(papers: Sequence[Paper]) -> str:
    """CSL-JSON, one array."""
    return json.dumps([_csl(paper, key) for paper, key in zip(papers, keys(papers), strict=True)], ensure_ascii=False, indent=2) + "\n"


def markdown(papers: Sequence[Paper]) -> str:
    """A list, an item a paper."""
    return "".join(_markdown(paper) for paper in papers)


def in_words(paper: Paper) -> str:
    """One line for a text or a mail: `Ada Moss; Bo Reed. Title. Venue. 2024. https://…`."""
    names = "; ".join(" ".join(reversed(name_parts(name))).strip() for name in paper.authors)
    told = [names, paper.display_title, paper.venue, _year(paper), link(paper)]
    return ". ".join(collapse(part).rstrip(".") for part in told if part)


FORMATS: dict[str, Callable[[Sequence[Paper]], str]] = {"bibtex": bibtex, "ris": ris, "csl": csl, "markdown": markdown}


def _link_by_id(paper: Paper) -> str | None:
    if paper.doi:
        return f"https://doi.org/{quote(paper.doi, safe='/:;().-_')}"
    if paper.arxiv_id:
        return f"https://arxiv.org/abs/{quote(paper.arxiv_id, safe='/.-')}"
    return f"https://pubmed.ncbi.nlm.nih.gov/{quote(paper.pmid, safe='')}/" if paper.pmid else None


def _own_link(paper: Paper) -> str | None:
    """The link, where it tells more than the ids do."""
    found = link(paper)
    return None if found == _link_by_id(paper) else found


def _year(paper: Paper) -> str:
    return paper.date[:4] if paper.date and not paper.date.startswith("-") else ""


def _words(paper: Paper) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*paper.keywords, *paper.tags)))


def _key(paper: Paper, digits: int) -> str:
    family = name_parts(paper.authors[0])[0] if paper.authors else ""
    title = next((word for word in _ascii(paper.display_title).split() if len(word) > 3), "")
    return f"{_ascii(family).replace(' ', '')}{_year(paper)}{title}-{paper.paper_id[:digits]}".lstrip("-")


def _ascii(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", fold(text).encode("ascii", "ignore").decode())


# BibTeX


def _bibtex(paper: Paper, key: str) -> str:
    year = _year(paper)
    fields = {
        "title": " ".join(map(_protected, paper.display_title.split())),
        "author": " and ".join(map(_bibtex_name, paper.authors)),
        "journal": _tex(paper.venue or ""),
        "year": year,
        "date": paper.date or "" if year and paper.date != year else "",
        "doi": _verbatim(paper.doi),
        "eprint": _verbatim(paper.arxiv_id),
        "eprinttype": "arXiv" if paper.arxiv_id else "",
        "archiveprefix": "arXiv" if paper.arxiv_id else "",
        "pmid": _verbatim(paper.pmid),
        "url": _verbatim(_own_link(paper)),
        "keywords": ", ".join(_tex(word.replace(",", " ")) for word in _words(paper)),
        "note": _tex(paper.note or ""),
        "abstract": _tex(paper.abstract),
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@{'article' if paper.venue else 'misc'}{{{key},\n{lines}}}\n"


def _tex(text: str) -> str:
    return collapse(text).translate(_BIBTEX if _balanced(text) else _BIBTEX | _UNBALANCED)


def _balanced(text: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    return depth == 0


def _protected(word: str) -> str:
    """In braces, where a style's lower case would spoil it: `KV`, `MothNet`."""
    return f"{{{_tex(word)}}}" if any(char.isupper() for char in word[1:]) else _tex(word)


def _bibtex_name(author: str) -> str:
    family, given = name_parts(author)
    if not given:
        return f"{{{_tex(family)}}}"
    parts = [f"{{{_tex(part)}}}" if re.search(r"\band\b|,", part, re.IGNORECASE) else _tex(part) for part in (family, given)]
    return ", ".join(parts)


def _verbatim(value: str | None) -> str:
    """Of a field that is read as it stands."""
    return re.sub(r"[\\{}\s]", lambda char: quote(char[0]), collapse(value or ""))


# RIS


def _ris(paper: Paper) -> list[tuple[str, str]]:
    year = _year(paper)
    single = [
        ("TI", paper.display_title),
        ("T2", paper.venue),
        ("PY", year),
        ("DA", "/".join([*(paper.date or "").split("-"), "", "", ""][:3]) + "/" if year else None),
        ("DO", paper.doi),
        ("AN", paper.pmid),
        ("DB", "PubMed" if paper.pmid else None),
        ("UR", _own_link(paper)),
        ("UR", f"https://arxiv.org/abs/{paper.arxiv_id}" if paper.arxiv_id else None),
        ("N1", paper.note),
        ("AB", paper.abstract),
    ]
    told = [(tag, value) for tag, value in single if value]
    names = [("AU", ", ".join(filter(None, name_parts(author)))) for author in paper.authors]
    return [("TY", "JOUR" if paper.venue else "GEN"), told[0], *names, *told[1:], *(("KW", word) for word in _words(paper))]


# CSL-JSON


def _csl(paper: Paper, key: str) -> dict[str, Any]:
    year = _year(paper)
    record = {
        "id": key,
        "citation-key": key,
        "type": "article-journal" if paper.venue else "article",
        "title": paper.display_title,
        "author": [_csl_name(author) for author in paper.authors],
        "issued": {"date-parts": [[int(part) for part in (paper.date or "").split("-")]]} if year else None,
        "container-title": paper.venue,
        "DOI": paper.doi,
        "PMID": paper.pmid,
        "number": f"arXiv:{paper.arxiv_id}" if paper.arxiv_id else None,
        "URL": link(paper),
        "keyword": ", ".join(_words(paper)),
        "note": paper.note,
        "abstract": paper.abstract,
    }
    return {name: value for name, value in record.items() if value}


def _csl_name(author: str) -> dict[str, str]:
    family, given = name_parts(author)
    return {"family": family, "given": given} if given else {"literal": family}


# Markdown


def _markdown(paper: Paper) -> str:
    where, title = link(paper), escape_markdown(paper.display_title)
    told = [
        escape_markdown("; ".join(paper.authors)),
        f"[{title}](<{where}>)" if where else title,
        f"*{escape_markdown(paper.venue)}*" if paper.venue else "",
        _year(paper),
        escape_markdown(f"({paper.note})") if paper.note else "",
    ]
    return f"- {'. '.join(part.rstrip('.') for part in told if part)}.\n"


def escape_markdown(text: str) -> str:
    """The text in one line, as Markdown that says just that."""
    return _MARKDOWN.sub(r"\\\1", collapse(text))
