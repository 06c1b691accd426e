"""Reads a question: whether it can be asked, and what kind of answer it wants.

Goes in: text. Comes out: a `Question`. Knows general English, and nothing of any paper.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from assistant.errors import QuestionError
from assistant.query.intent import Intent, intent_of
from index.embedding import Embedder

MAX_CHARACTERS = 4000

_FIGURE = re.compile(
    r"\bhow (?:much|many|fast|far|often|large|big|long|small|well|close|accurate|low|high|cheap|deep|wide|few|little|slow)\b"
    r"|\b(?:what|which) (?:[\w-]+ ){0,3}(?:speed|speedup|accuracy|percentage|percent|share|fraction|throughput|latency|number|"
    r"rate|size|score|gain|reduction|improvement|factor|cost|bitrate|perplexity|error)s?\b"
    r"|\b(?:at|by|to|in) (?:what|how)\b|\bpercent(?:age)?\b|\bnumbers?\b|\bfigures\b|\bcount\b",
    re.IGNORECASE,
)
_CAUSE = re.compile(
    r"\bwhy\b|\bhow come\b|\breasons?\b|\bwhat (?:causes|makes|stops|limits|prevents|keeps|sets)\b"
    r"|\bwhat (?:(?:is|are|was|were) )?(?:the )?(?:[\w-]+ )?(?:cause|problem|issue|bottleneck|limit|obstacle)",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?:what|which)\b.{0,40}\b(?:method|approach|technique|system|name|called|model|framework|algorithm|tool|trick|paper|work)\b"
    r"|\b(?:is|are) there\b|\bhas any(?:one|body)\b|\blooking for\b|\bany (?:way|work|paper|method)\b|\bcould\b"
    r"|\bcan (?:i|we|you|one)\b|^how (?:can|could|do|to)\b",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\b(?:tl;?dr|summar\w+|sums? up|gist|nutshell|explain\w*|describ\w+|overview)\b(?: of\b)?"
    r"|\b(?:an?|one|two|three|single|short|brief|quick|plain)[- ](?:\w+[- ])?(?:paragraph|sentence|line|word)s?\b"
    r"|\b(?:main|key|core|central|big) (?:\w+ )?(?:idea|point|contribution|finding|message|result|takeaway|piece)s?\b"
    r"(?: (?:of|in|behind)\b)?|\bcontributions? of\b|\b(?:please|give me|tell me|(?:can|could|would) you|in (?:short|brief|a)|"
    r"what(?:'?s| is| are| does)|about)\b|\b(?:paper|article|abstract|work)\b",
    re.IGNORECASE,
)
"""The words that ask for a summary, of whatever it is."""
_ASKED = re.compile(
    r"\b(?:how (?:many|much)|(?:what|which)(?:'s| is| are| was| were)?(?: the| a| an)?(?: exact| precise| exactly)?)\s+"
    r"((?:(?!(?:does|do|did|is|are|was|were|can|could|will|would|should|has|have|had|may|might|must|to|of|in|on|for|with|by|at|from|than|"
    r"when|while|if|the|a|an|it|they|we|i|you|per|before|after|using|over|under|between|against|relative|compared|during|across|that|which|"
    r"this|these|its|their|and|or|as|without|needed|used|required|into)\b)[\w%+./-]+\s*){1,4})",
    re.IGNORECASE,
)
"""The phrase after the question word, up to the verb or preposition: `calibration samples` in `how many calibration samples does …`."""
_NAME_LIKE = re.compile(r"(?<![\w-])(?=[\w.+-]*[A-Z\d])[A-Za-z\d][\w+]*(?:[-.][\w+]+)*")


@dataclass(frozen=True)
class Question:
    """A question, as far as its words tell."""

    text: str
    """White space collapsed, control characters gone."""
    wants_figure: bool
    """It asks how much, how many, at what rate."""
    wants_cause: bool
    """It asks why."""
    wants_name: bool
    """It asks what there is that does a thing: the sentence that introduces it answers."""
    intent: Intent
    """What it wants, as learnt from examples."""

    @property
    def wants_summary(self) -> bool:
        """Whether it asks what a work is about, as a whole."""
        return self.intent.group == "summary"

    @property
    def wants_several(self) -> bool:
        """Whether it asks for what there is on a theme, or counts or lists it: several papers answer."""
        return self.intent.group == "several" or (self.intent.group == "records" and self.intent.name != "record")

    @property
    def wants_overview(self) -> bool:
        """Whether it asks for the map of a theme: its main strands."""
        return self.intent.name == "overview"

    @property
    def wants_comparison(self) -> bool:
        """Whether it asks to hold two things against each other."""
        return self.intent.group == "comparison"


def read_question(text: str, embedder: Embedder | None = None) -> Question:
    """Raises `QuestionError` where the text is empty or too long to be a question."""
    plain = clean(text)
    if not plain:
        raise QuestionError('the question is empty: ask something, such as: assistant ask "How does speculative decoding work?"')
    if len(plain) > MAX_CHARACTERS:
        raise QuestionError(f"the question has {len(plain):,} characters, at most {MAX_CHARACTERS:,} are read: ask for one thing at a time")
    return understood(plain, embedder)


def summarized(question: Question) -> str:
    """What a summary is asked of: the text without the words that ask for it; empty where nothing is named (`TL;DR?`)."""
    subject = " ".join(_REQUEST.sub(" ", question.text).split()).strip(" ,;:.?!-")
    return subject if any(len(word) > 3 or not word.islower() for word in subject.split()) else ""


def asked_words(text: str) -> frozenset[str]:
    """The words of what a question asks for (`how many tokens …`, `which optimizer …`), in small letters; none where it names nothing."""
    return frozenset(word for found in _ASKED.finditer(text.lower()) for word in re.findall(r"\w+", found[1]))


def names_in(text: str) -> list[str]:
    """The words of a question that are names by their look: with two capitals or more, with letters and digits, or with a capital
    inside a sentence."""
    found = []
    for match in _NAME_LIKE.finditer(text):
        name = match[0].rstrip(".")
        unusual = sum(char.isupper() for char in name) > 1 or (any(map(str.isdigit, name)) and any(map(str.isalpha, name)))
        if unusual or (name[0].isupper() and len(name) > 1 and re.search(r"[\w,;)] $", text[: match.start()])):
            found.append(name)
    return found


def holds_name(text: str, name: str) -> bool:
    """Whether a text has a name, however it is spelled: hyphens, case and a plural's s do not count."""
    return _plain(name).removesuffix("s") in _plain(text)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text.casefold())


def clean(text: str) -> str:
    """The text without control, formatting and broken characters, white space collapsed."""
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cf", "Cs"} else c for c in text).split())


def understood(plain: str, embedder: Embedder | None = None) -> Question:
    """What a clean text asks for. `embedder`: the encoder of the library, by whose vectors intents are told better than by words."""
    return Question(
        text=plain,
        wants_figure=bool(_FIGURE.search(plain)),
        wants_cause=bool(_CAUSE.search(plain)),
        wants_name=bool(_NAME.search(plain)),
        intent=intent_of(plain, embedder),
    )
