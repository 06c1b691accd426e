"""Instructions about the last answer: shorter, in plainer words, more, its reference, more like it, another paper of it.

Goes in: an instruction, what the turn before lends, its answer, and the library. Comes out: a draft made from the papers at hand,
without search. Numbers, years and forms of references are read by exact patterns; which instruction it is, was learnt
(`assistant/query/intent.py`). Quotes only: plainer words than the paper's own need an LLM, and the draft says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.answer import Answer
from assistant.evidence.selection import Evidence
from assistant.evidence.sources import Source
from assistant.generation.base import Draft
from assistant.generation.extractive import restate
from assistant.query.conversation import Context
from assistant.query.filters import Filters
from assistant.query.question import Question
from assistant.records.lists import first_sentence, listed, record_of, wanted_of
from index import Library, Paper, bibliography
from index.citing import FORMATS
from index.sentences import sentence_spans

SIMILAR = 5
_LOOKED_AT = 30
"""Of the nearest papers, how many are looked through for newer or older ones."""
_WHOLE_ABSTRACT = 30
"""Sentences, at most, that are quoted where more is asked for."""
_SHORT = 6
"""Words of an instruction that tells nothing of what it is about."""
_COUNTS = {"one": 1, "a": 1, "single": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_SENTENCES = re.compile(r"\b(one|a|single|two|three|four|five|\d)[- ](?:single[- ])?(?:sentences?|lines?)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_AGE = re.compile(r"\b(older|oldest|earlier|earliest|newer|newest|later|latest|(?:more|most) recent)\b", re.IGNORECASE)
_OTHER = re.compile(r"\bother\b", re.IGNORECASE)
_FORM = re.compile(rf"\b({'|'.join(FORMATS)})\b", re.IGNORECASE)
_BY = re.compile(r"\b(?:by|from)\s+([\w.'’-]+(?:\s+[\w.'’-]+)?)", re.IGNORECASE)
_ORDINAL = re.compile(r"\bthe (?:first|second|third|fourth|fifth|former|latter|last|other)\b|\[\d\]", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:\b(?:number|no\.)\s+|#)(one|two|three|four|five|\d)\b", re.IGNORECASE)
_TITLES = re.compile(r"\btitles?\b", re.IGNORECASE)
_OTHERS = re.compile(
    r"^(?:(?:and|so|but|ok(?:ay)?|are there|is there|do you have|have you|got|show me|give me)\b[ ,]*)*"
    r"(?:any(?:thing)?|some(?:thing)?|more)? ?(?:newer|older|later|earlier|more recent|others?|else|related)"
    r"(?: (?:ones?|papers?|works?|study|studies|articles?|here|please|on (?:this|that|it)|like (?:it|this|that)))*\W*$",
    re.IGNORECASE,
)
"""Other papers than those at hand, by nothing but their age: `any newer ones?`, `are there others?`."""
RECORD_WORDS = frozenset(
    "author authors writer writers venue journal journals year years date dates title titles paper papers work works link doi".split()
)
"""What records hold: they name no theme."""
FIELDS = frozenset("author authors title titles link doi".split())
"""Of these, what nothing but a record is asked for."""
PLAIN = "the words are the papers' own: an LLM can say it more plainly (`assistant llm`)"


def papers_at_hand(question: str, context: Context, library: Library, picking: bool = False) -> list[Paper]:
    """The papers of the last answer that an instruction means: the one named by number, year, author or age, else all that it
    cites; where `picking` and none is named so, none."""
    cited = library.papers(list(context.cited))
    everyone = library.papers(list(dict.fromkeys((*context.cited, *context.found))))
    if pointed := context.pointed_at(question) or _numbered(question, context):
        return library.papers([pointed])
    for papers in (cited, everyone):
        if picked := _picked(question, papers, library):
            return [picked]
    return [] if picking else cited


def carry_out(question: Question, context: Context, last: Answer, library: Library) -> Draft | None:
    """What an instruction asks for; None where there is nothing to do it with."""
    papers = papers_at_hand(question.text, context, library)
    if not papers:
        alone = len(question.text.split()) > _SHORT or bool(last.citations)
        reason = "the last answer cites no paper that this could be done with"
        return None if alone else Draft(f"There is nothing to do that with: {reason}.", (), False, reason)
    name = question.intent.name
    if asks_for_others(question.text) or name == "similar":
        pointed = context.pointed_at(question.text) or _numbered(question.text, context) or next(iter(context.cited), None)
        return _similar(library.papers([pointed])[0] if pointed else papers[0], question.text, library)
    if _TITLES.search(question.text):
        return listed(papers, "Cited:")
    if name == "citation":
        return _references(question.text, papers)
    if name == "longer":
        return _more(papers[0])
    if name not in ("shorter", "simpler", "summary"):
        return record_of(papers)
    return _less(question, papers, last)


def lacks_year(question: str, context: Context, library: Library) -> str | None:
    """The year by which a paper at hand is picked and which none of them is known to be of."""
    year = _YEAR.search(question)
    return year[0] if year and not papers_at_hand(question, context, library, picking=True) else None


def asks_for_others(text: str) -> bool:
    """Whether it asks for other papers than those at hand, and says nothing of them but their age."""
    return bool(_OTHERS.search(text))


def records_at_hand(question: Question, context: Context, library: Library) -> Draft | None:
    """What a question on records asks of the papers that the last answer cites: their authors, dates and venues, or those of a year.

    None where it asks for more than records tell.
    """
    wanted = wanted_of(question.text, library)
    if {word.lower() for word in wanted.theme.split()} - RECORD_WORDS or _ORDINAL.search(question.text):
        papers = papers_at_hand(question.text, context, library, picking=True)
        return record_of(papers) if papers and question.intent.name == "record" else None
    papers = library.papers(list(context.cited))
    if question.intent.name == "newest":
        papers = papers_at_hand(question.text, context, library)
    elif wanted.filters != Filters():
        ids = library.allowed(wanted.filters)
        kept = [paper for paper in papers if paper.paper_id in ids]
        reason = f"none of the papers of the last answer is known to be so ({wanted.filters.in_words()})"
        return listed(kept, f"{len(kept)} of {len(papers)}:") if kept else Draft(f"The library has none: {reason}.", (), False, reason)
    return record_of(papers) if papers else None


def _less(question: Question, papers: Sequence[Paper], last: Answer) -> Draft:
    """The sentences of the last answer that answer best, fewer than before."""
    asked = _SENTENCES.search(question.text)
    wanted = (_COUNTS.get(asked[1].lower()) or int(asked[1]) or 1) if asked else 1
    quoted = {paper.paper_id: _quoted(paper, last) for paper in papers}
    sources = [Source(paper, quoted[paper.paper_id], 1.0) for paper in papers if quoted[paper.paper_id]]
    draft = restate(sources[:wanted] if asked else sources, max(1, wanted // max(1, len(sources))))
    return replace(draft, warnings=(PLAIN,)) if question.intent.name == "simpler" else draft


def _more(paper: Paper) -> Draft:
    """The whole abstract."""
    spans = sentence_spans(paper.abstract)[:_WHOLE_ABSTRACT]
    return restate([Source(paper, tuple(Evidence(paper, place, *span, 1.0) for place, span in enumerate(spans)), 1.0)], len(spans))


def _quoted(paper: Paper, last: Answer) -> tuple[Evidence, ...]:
    """What the last answer quotes of a paper, else how its abstract begins."""
    spans = sentence_spans(paper.abstract)
    scores = {(citation.start, citation.end): citation.score for citation in last.citations if citation.paper_id == paper.paper_id}
    held = [Evidence(paper, place, *span, scores[span]) for place, span in enumerate(spans) if span in scores]
    return tuple(held or [Evidence(paper, 0, *span, 1.0) for span in spans[:1]])


def _references(text: str, papers: Sequence[Paper]) -> Draft:
    found = _FORM.search(text)
    form = found[1].lower() if found else "bibtex"
    markers = " ".join(f"[{marker}]" for marker in range(1, len(papers) + 1))
    named = {"bibtex": "BibTeX", "ris": "RIS", "csl": "CSL-JSON", "markdown": "Markdown"}[form]
    text = f"{named} of {markers}:\n\n{bibliography(papers, form)}"
    return Draft(text.rstrip(), tuple(first_sentence(paper, marker) for marker, paper in enumerate(papers, 1)))


def _similar(paper: Paper, text: str, library: Library) -> Draft:
    """The papers nearest to one; where the text asks for newer or older ones, those that are known to be."""
    age = _AGE.search(text)
    near = library.papers([hit.paper_id for hit in library.near(paper.paper_id, _LOOKED_AT if age else SIMILAR)])
    if age and _dated(paper):
        near = [one for one in near if _dated(one) and one.date != paper.date and ((one.date or "") < (paper.date or "")) == _is_older(age)]
    elif age:
        near = sorted(filter(_dated, near), key=lambda one: one.date or "", reverse=True)
    near = near[:SIMILAR]
    if not near:
        reason = f"nothing {f'known to be {age[1].lower()} ' if age else 'else here '}is near “{paper.display_title}”"
        return Draft(f"The library has none: {reason}.", (), False, reason)
    return listed(near, f"Nearest to “{paper.display_title}”:")


def _numbered(question: str, context: Context) -> str | None:
    """The paper meant by `number two`, `no. 3`."""
    found = _NUMBERED.search(question)
    return context.pointed_at(f"[{_COUNTS.get(found[1].lower(), found[1])}]") if found else None


def _dated(paper: Paper) -> bool:
    """Whether its year is known."""
    return bool(paper.date) and not (paper.date or "-").startswith("-")


def _is_older(age: re.Match[str]) -> bool:
    """Whether what `_AGE` found asks for the older rather than the newer."""
    return age[1].lower().startswith(("old", "earl"))


def _picked(question: str, papers: Sequence[Paper], library: Library) -> Paper | None:
    """The one paper of these that a year, an author, its age or `the other` names."""
    if year := _YEAR.search(question):
        of_year = [paper for paper in papers if (paper.date or "").startswith(year[0])]
        return of_year[0] if of_year else None
    dated = sorted(filter(_dated, papers), key=lambda paper: paper.date or "")
    if (age := _AGE.search(question)) and dated:
        return dated[0] if _is_older(age) else dated[-1]
    if (by := _BY.search(question)) and (ids := library.allowed(Filters(author=by[1]))):
        return next((paper for paper in papers if paper.paper_id in ids), None)
    return papers[1] if _OTHER.search(question) and len(papers) > 1 else None
