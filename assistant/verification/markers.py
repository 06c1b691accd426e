"""Reads citations as models write them.

Goes in: a model's text and the numbered sources it was given. Comes out: the same text in which every citation is a
marker of one spelling, `MARKER`, and nothing else is; lists of references at the end, links and phrases that only
name a source are gone. A number that names no source stays a marker, to be told. What only looks like a citation (a
year, an interval, an enumeration) stays text. Knows nothing of whether a citation holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.sanitize import CLOSING, OPENING

_BEGIN, _END = "\ue000", "\ue001"
MARKER = re.compile(rf"\s*{_BEGIN}([\d,]+){_END}")
"""One or several numbers, separated by commas."""

_MOST_DIGITS = 9
_LONGEST_RANGE = 20
_NOUN = r"(?:sources?|src|refs?|references?|papers?|docs?|documents?|citations?|abstracts?|excerpts?|passages?|articles?)"
_NUMBER = r"[\^#@]?\d+"
_ITEM = rf"(?:(?:{_NOUN}|cite|nos?|numbers?)\s*[.:#_-]?\s*|[spdrc](?=\d))?(?:(?:id|no|number|nr)\s*[.:=#]?\s*)?{_NUMBER}"
_BETWEEN = r"\s*(?:,\s*and|,|;|&|/|\+|\||[-–—]|and|to)\s*"
_ITEMS = rf"{_ITEM}(?:{_BETWEEN}{_ITEM}){{0,1500}}"
_NUMBERS = rf"{_NUMBER}(?:{_BETWEEN}(?:{_NOUN}\s*)?{_NUMBER}){{0,20}}"
_LOCATED = r"(?:pp?|lines?|l|sec|section|para|abstract|title|sentences?)"
_LOCATOR = (
    rf"(?:(?:\s*†|\s*:\s+(?=\D)|:(?=\d+\s*[\]】])|\s[-–—]\s|\s*,?\s*\b{_LOCATED}\b)"
    rf"[^{re.escape(OPENING + CLOSING)}\n]{{0,200}})?"
)
_SEEN = r"(?:(?:see(?: also)?|cf\.?|e\.g\.,?|from|per|via|as (?:stated|noted|reported|described|shown) (?:in|by)|according to)\s+)?"

_BRACKETED = re.compile(rf"\\?[{re.escape(OPENING)}]\s*{_SEEN}({_ITEMS}){_LOCATOR}\s*\\?[{re.escape(CLOSING)}]", re.IGNORECASE)
_NESTED = re.compile(r"\[\s*((?:\[[^\[\]\n]{1,60}\][\s,;]*){1,20})\](?!\()")
_CITE_TAGS = re.compile(
    r"\[cite_?(?:start|end)\]|\[cite:\s*\]|<co>|[\ue200-\ue2ff]?\bcite(?:[\ue200-\ue2ff]?turn\d+[a-z]+\d+)+[\ue200-\ue2ff]?", re.IGNORECASE
)
"""What surrounds a citation, or stands for one of a source that was not given by us."""
_DRESSED = re.compile(r"\[\s*[*_(^]{1,2}(\d{1,2})[*_)^]{1,2}\s*\]|</co:\s*([\d,\s]{1,40})>|(?<=[\w.,;:!?)”]) <(\d{1,2})>(?=[\s.,;:!?]|$)")
_KEY = re.compile(r"\s*\[@([A-Za-z][A-Za-z'’-]{1,30}?)[-_:]?((?:19|20)\d\d)\w{0,20}\]")
_LINK = re.compile(r"(?<!!)\[((?:[^\[\]\n]|\[[^\[\]\n]{1,60}\]){1,200})\]\(\s*<?([^()\s]{1,500})>?(?:\s+\"[^\"\n]{0,200}\")?\s*\)")
_TAGGED = re.compile(
    rf"<(sup|cite|ref|citation|co|source|a)\b[^<>\n]{{0,200}}>\s*[\[(]?({_ITEMS})[\])]?\s*</\1>"
    rf"|<(?:sup|cite|ref|citation|co|sources?|doc)\s*[:=]?\s*(?:(?:id|index|n|name)\s*=\s*)?[\"']?({_ITEMS})[\"']?\s*/?>(?:\s*</(?:source|cite|ref|citation|co)>)?",
    re.IGNORECASE,
)
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ʼ˒", "0123456789-,,")
_SUPERSCRIPT = re.compile(
    r"(?:(?<=[^\W\d]{3})|(?<=[.,;:!?)\]”\"’%]))\s?([¹²³⁴-⁹][⁰¹²³⁴-⁹]?(?:[,˒⁻–-][¹²³⁴-⁹][⁰¹²³⁴-⁹]?){0,8})(?![\w⁰¹²³⁴-⁹])"
)
_CARETED = re.compile(r"(?<=[^\W\d]|[.,;:!?)\]”\"’%])\^(\d{1,2}(?:,\s?\d{1,2}){0,8})\^|\^\[(\d{1,2}(?:,\s?\d{1,2}){0,8})\]")
_TEX = re.compile(rf"\\cite[pt]?\{{\s*({_ITEMS})\s*\}}", re.IGNORECASE)
_WORD_IN_PARENTHESES = re.compile(rf"\(\s*{_SEEN}{_NOUN}\s*[.:#]?\s*({_NUMBERS}){_LOCATOR}\s*\)", re.IGNORECASE)
_PARENTHESES = re.compile(
    r"(?<=[\w%)”\"’*])(?P<stop>[.!?]?)\s+\((?P<numbers>\d{1,2}(?:\s*[,;&–-]\s*\d{1,2}){0,8})\)(?=\s*(?:[.,;:!?|]|$|\n|\()|(?<=\))(?<=x))"
)
_ENUMERATED = re.compile(r"\((\d{1,2})\)\s+\w")
_NO_CITATION_AFTER = re.compile(
    r"\b(?:eqs?|equations?|steps?|stages?|phases?|tables?|figs?|figures?|sections?|types?|class|levels?|grades?|theorems?|lemmas?|algorithms?)\.?\s*$",
    re.IGNORECASE,
)

_START = r"(?P<start>(?:^|(?<=[.!?:]\s)|(?<=\ue001\s))[ \t]*(?:(?:[-*•]|\d{1,2}[.)])[ \t]+)?[*_]{0,3})"
_REPORTED = r"(?:stated|described|reported|noted|mentioned|explained|shown|discussed|outlined|detailed|indicated|presented)"
_NAMED = (
    rf"(?:the\s+)?(?:sources?|paper|document|abstract|excerpt|passage)\s*[#(\[]?\s*(?:number\s+|no\.?\s*)?(?P<numbers>{_NUMBERS})[)\]]?"
)
_LED_BY_SOURCE = re.compile(
    rf"{_START}(?:according to|based on|as (?:\w+ )?{_REPORTED} (?:in|by)|as per|per|from|in)\s+{_NAMED}[*_]{{0,3}}\s*[,:]\s*",
    re.IGNORECASE | re.MULTILINE,
)
_SOURCE_SAYS = re.compile(rf"{_START}{_NAMED}[*_]{{0,3}}\s+(?:\w+ly\s+|also\s+|further\s+)?\w+\s+that\s+", re.IGNORECASE | re.MULTILINE)
_SOURCE_LABEL = re.compile(rf"{_START}\(?{_NAMED}\)?[*_]{{0,3}}\s*:[*_]{{0,3}}\s+", re.IGNORECASE | re.MULTILINE)
_TRAILED_BY_SOURCE = re.compile(
    rf",?\s+\(?(?:according to|as per|per|as (?:\w+ )?{_REPORTED} (?:in|by)|(?:—|–|-)\s*(?:see|from)?)\s*{_NAMED}\)?(?=\s*(?:[,.;:!?]|$))",
    re.IGNORECASE | re.MULTILINE,
)
_MENTIONED = re.compile(rf"\b{_NAMED}(?![\w.]\d)", re.IGNORECASE)
_IN_MARKER = re.compile(rf"\bsources?\s*{_BEGIN}([\d,]+){_END}", re.IGNORECASE)
_LABEL_BEFORE = re.compile(rf"\b(?:sources?|refs?|references?|citations?|cited)\s*:\s*(?=\s?{_BEGIN})", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ORDINAL = re.compile(rf"\bthe ({'|'.join(_ORDINALS)}) source\b", re.IGNORECASE)

_SURNAME = r"(?:(?:van|von|de|der|den|la|le|di|du|el)\s+){0,2}[A-Z\u00c0-\u00dd][\w'’-]{1,30}"
_AUTHORS = rf"{_SURNAME}(?:\s+et\s+al\.?|(?:,\s*{_SURNAME}){{0,4}},?\s*(?:and|&)\s+{_SURNAME})?"
_YEAR = r"(?:19|20)\d\d[a-z]?"
_AUTHOR_YEAR = re.compile(
    rf"[\[(]\s*(?:see(?: also)?\s+|cf\.?\s+|e\.g\.,?\s+)?({_AUTHORS},?\s+{_YEAR}(?:\s*[;,]\s*{_AUTHORS},?\s+{_YEAR}){{0,6}})\s*[\])]"
)
_ONE_AUTHOR_YEAR = re.compile(rf"({_AUTHORS}),?\s+({_YEAR})")
_AUTHOR_SAYS = re.compile(rf"({_SURNAME}(?:\s+et\s+al\.?,?|\s+(?:and|&)\s+{_SURNAME})(?:['’]s)?)\s*[\[(]\s*({_YEAR})\s*[\])]")
_HELD = re.compile(r"\[([^\[\]\n]{3,300})\]|\(([^()\n]{12,300})\)")
_QUOTED = re.compile(r"[“\"‘*_]{1,3}([^“”\"*_\n]{8,300})[”\"’*_]{1,3}")

_HEADING = re.compile(
    r"^[\s>#*_-]{0,8}(?:references?|(?:list of )?sources?(?: used| cited| consulted)?|citations?|bibliography|works cited|footnotes?"
    r"|cited (?:papers|works|sources))[\s*_]{0,4}(?::[*_\s]{0,4}(?P<same>.*)|)$",
    re.IGNORECASE,
)
_ENTRY = re.compile(
    r"^\s*(?:[-*•]\s*)?(?:[*_]{0,2}\[?\^?(?P<number>\d{1,2})\]?[.:)]?[*_]{0,2}|[¹²³⁴-⁹]|(?:source|paper)\s+(?P<named>\d{1,2})\b\W*)"
    r"\s*(?P<rest>.*)$",
    re.IGNORECASE,
)
_DEFINITION = re.compile(r"^\s*\[\^?\d{1,2}\]:\s*\S")
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$")


@dataclass(frozen=True)
class Cited:
    """What a numbered source can be cited by."""

    title: str
    authors: tuple[str, ...] = ()
    year: str = ""
    ids: tuple[str, ...] = ()
    """Its address, DOI, arXiv number, in lower case."""


def read_markers(text: str, sources: Sequence[Cited]) -> str:
    """The text with every citation as a `MARKER`."""
    return _Reader(sources).read(text.replace(_BEGIN, "").replace(_END, ""))


def spelled(numbers: Sequence[int]) -> str:
    """A marker of these numbers."""
    return f"{_BEGIN}{','.join(map(str, numbers))}{_END}"


def numbers_of(text: str) -> list[int]:
    """The numbers of all markers in a text that `read_markers` made."""
    return [int(number) for found in MARKER.findall(text) for number in found.split(",") if number]


class _Reader:
    """Reads one text; each method takes one way of writing citations."""

    def __init__(self, sources: Sequence[Cited]) -> None:
        self._sources = sources
        self._titles = [_letters(source.title) for source in sources]
        self._names = [_letters(source.title.partition(":")[0]) if ":" in source.title else "" for source in sources]

    def read(self, text: str) -> str:
        text, renumbered = self._without_references(_CITE_TAGS.sub("", text))
        text = _DRESSED.sub(lambda dressed: f" [{dressed[1] or dressed[2] or dressed[3]}]", text)
        text = _KEY.sub(self._key, text)
        text = _NESTED.sub(lambda nested: nested[1] if _all_markers(nested[1]) else nested[0], text)
        text = _LINK.sub(self._link, text)
        text = _TAGGED.sub(lambda tag: self._marker(tag[2] or tag[3]), text)
        text = _TEX.sub(lambda tag: self._marker(tag[1]), text)
        text = _SUPERSCRIPT.sub(lambda raised: self._known(raised[1].translate(_RAISED), raised[0]), text)
        text = _CARETED.sub(lambda raised: self._known(raised[1] or raised[2], raised[0]), text)
        text = _BRACKETED.sub(self._bracketed, text)
        text = _WORD_IN_PARENTHESES.sub(lambda found: self._marker(found[1]), text)
        text = _LABEL_BEFORE.sub("", text)
        if _BEGIN not in text:
            text = self._in_parentheses(text)
        text = _AUTHOR_YEAR.sub(self._author_year, text)
        text = _AUTHOR_SAYS.sub(self._author_says, text)
        text = _HELD.sub(self._held_title, text)
        text = _QUOTED.sub(self._quoted_title, text)
        text = self._in_prose(text)
        text = re.sub(r"\[(\d[\d\s,;–-]*)\]", r"(\1)", text)  # what is no marker does not look like one
        return self._counted_from_one(MARKER.sub(lambda found: self._renumber(found, renumbered), text))

    # Numbers

    def _marker(self, items: str) -> str:
        return spelled(_numbers(items))

    def _known(self, items: str, whole: str) -> str:
        """A marker if all its numbers name sources, else the text as it stands."""
        numbers = _numbers(items)
        return spelled(numbers) if numbers and all(1 <= number <= len(self._sources) for number in numbers) else whole

    def _bracketed(self, found: re.Match[str]) -> str:
        numbers, bare = _numbers(found[1]), re.fullmatch(r"[\d\s,]+", found[1]) is not None
        year = bare and len(numbers) == 1 and 1900 <= numbers[0] < 2100
        before = found.string[max(0, found.start() - 24) : found.start()]
        interval = (
            bare
            and len(numbers) == 2
            and numbers[0] == 0
            and re.search(r"\b(?:in|range|interval|to|within|into|onto|over|between)\s*$|[∈=]\s*$", before)
        )
        return found[0] if year or interval else spelled(numbers)

    def _in_parentheses(self, text: str) -> str:
        """`(1)` where it ends a clause, and the text does not count its items like that."""

        def read(found: re.Match[str]) -> str:
            line = text[text.rfind("\n", 0, found.start()) + 1 : (text.find("\n", found.end()) + 1 or len(text) + 1) - 1]
            if _NO_CITATION_AFTER.search(text[max(0, found.start() - 20) : found.start() + 1]) or _ENUMERATED.search(line):
                return found[0]
            marker = self._known(found["numbers"], "")
            return f" {marker}{found['stop']}" if marker else found[0]

        return _PARENTHESES.sub(read, text)

    def _renumber(self, found: re.Match[str], renumbered: dict[int, int]) -> str:
        numbers = dict.fromkeys(renumbered.get(int(number), int(number)) for number in found[1].split(",") if number)
        return f" {spelled(list(numbers))}"

    def _counted_from_one(self, text: str) -> str:
        """Some models count the sources from 0."""
        numbers = numbers_of(text)
        if 0 not in numbers or max(numbers) >= len(self._sources):
            return text
        return MARKER.sub(lambda found: f" {spelled([int(number) + 1 for number in found[1].split(',')])}", text)

    # Names

    def _link(self, link: re.Match[str]) -> str:
        """A link whose words or target name a source; others stay, for whoever removes links."""
        label, target = link[1], link[2].lower()
        if _all_markers(f"[{label}]") or _all_markers(label):
            return _BRACKETED.sub(self._bracketed, f"[{label}]" if "[" not in label else label)
        number = self._by_title(label, short=True) or self._by_id(target)
        if number is None:
            return link[0]
        said = "" if self._by_title(label, short=False) or self._by_id(label.lower()) else label
        return f"{said} {spelled([number])}"

    def _by_id(self, target: str) -> int | None:
        for number, source in enumerate(self._sources, 1):
            if any(len(each) > 5 and each in target for each in source.ids):
                return number
        return None

    def _by_title(self, text: str, short: bool) -> int | None:
        """The source of this title, or of a title that begins so; `short`: the name before its colon does too."""
        from rapidfuzz import fuzz

        letters = _letters(text)
        if len(letters) < 3:
            return None
        for number, (title, name) in enumerate(zip(self._titles, self._names, strict=True), 1):
            begins = len(letters) >= 16 and title.startswith(letters)
            if letters == title or begins or (short and letters == name) or (len(title) >= 12 and fuzz.ratio(letters, title) >= 90):
                return number
        return None

    def _held_title(self, held: re.Match[str]) -> str:
        """`[Title]`, or `(Title)`; several may be separated by semicolons."""
        content = held[1] or held[2]
        if _BEGIN in content:
            return held[0]
        parts = [part.strip(" *_“”\"'") for part in content.split(";")]
        parts = [re.sub(r"^(?:source|paper|see)\s*:?\s*", "", part, flags=re.IGNORECASE) for part in parts]
        numbers = [self._by_title(part, short=held[1] is not None) or self._by_id(part.lower()) for part in parts]
        return f" {spelled([number for number in numbers if number])}" if all(numbers) else held[0]

    def _quoted_title(self, quoted: re.Match[str]) -> str:
        """A title in the sentence's own words stays, and cites."""
        number = self._by_title(quoted[1], short=False)
        return quoted[0] if number is None else f"{quoted[0]} {spelled([number])}"

    def _by_author(self, names: str, year: str) -> int | None:
        surname = _letters(re.split(r"\s+et\s+al|,|\s+(?:and|&)\s", names)[0])
        for number, source in enumerate(self._sources, 1):
            names_of_first = _letters(" ".join(source.authors[:1])).split()
            if surname and surname.split()[-1] in names_of_first and source.year in {"", year[:4]}:
                return number
        return None

    def _author_year(self, found: re.Match[str]) -> str:
        """`(Name et al., 2024)`: the source it names; where it names none for sure, a citation all the same."""
        pairs = _ONE_AUTHOR_YEAR.findall(found[1])
        numbers = [number for names, year in pairs if (number := self._by_author(names, year))]
        if numbers:
            return f" {spelled(numbers)}"
        is_citation = all(re.search(r"et\s+al|\band\b|&", names) for names, _ in pairs)
        return "" if is_citation else found[0]

    def _key(self, found: re.Match[str]) -> str:
        """`[@name2024]`: a key of some bibliography, by its name and year."""
        number = self._by_author(found[1], found[2])
        return "" if number is None else f" {spelled([number])}"

    def _author_says(self, found: re.Match[str]) -> str:
        """`Name et al. (2024)` as a part of the sentence: the name stays where a source bears it out."""
        number = self._by_author(found[1], found[2])
        if number is not None:
            return f"{found[1]} {spelled([number])}"
        begins = not found.string[: found.start()].rstrip(" *_") or found.string[: found.start()].rstrip()[-1:] in ".!?\n"
        return "The authors" if begins else "the authors"

    # Prose

    def _in_prose(self, text: str) -> str:
        text = _IN_MARKER.sub(lambda found: f"source {found[1]}", text)
        for pattern in (_LED_BY_SOURCE, _SOURCE_SAYS, _SOURCE_LABEL):
            text = _capitalised(pattern, lambda found: f"{found['start']}{self._marker(found['numbers'])}", text)
        text = _TRAILED_BY_SOURCE.sub(lambda found: f" {self._marker(found['numbers'])}", text)
        text = _ORDINAL.sub(lambda found: self._by_name([_ORDINALS.index(found[1].lower()) + 1], found[0]), text)
        return _MENTIONED.sub(lambda found: self._by_name(_numbers(found["numbers"]), found[0]), text)

    def _by_name(self, numbers: Sequence[int], whole: str) -> str:
        """Sources by their titles, since a reader sees no numbers but those of the answer."""
        if not numbers or not all(1 <= number <= len(self._sources) for number in numbers):
            return whole
        names = [f"“{self._sources[number - 1].title.partition(':')[0]}”" for number in numbers]
        return f"{' and '.join(filter(None, (', '.join(names[:-1]), names[-1])))} {spelled(numbers)}"

    # References

    def _without_references(self, text: str) -> tuple[str, dict[int, int]]:
        """The text without its list of references, and which source each of that list's numbers stands for, where not its own."""
        lines = text.splitlines()
        renumbered: dict[int, int] = {}
        kept: list[str] = []
        listing = False
        for place, line in enumerate(lines):
            heading = _HEADING.match(line)
            if heading and kept and (same := heading["same"] or "").strip():
                listing = listing or self._is_entry(same) or _all_markers(same)
                if listing:
                    self._note(same, renumbered)
                    continue
            elif heading and any(each.strip() for each in kept):
                rest = [each for each in lines[place + 1 :] if each.strip()]
                listing = not rest or self._is_entry(rest[0])
                if listing:
                    continue
            if listing and (not line.strip() or self._is_entry(line)):
                self._note(line, renumbered)
                continue
            if _DEFINITION.match(line) or (self._is_reference(line) and _BRACKETED.search("\n".join(kept))):
                self._note(line, renumbered)
                continue
            kept.append(line)
        while kept and (not kept[-1].strip() or _RULE.match(kept[-1])):
            kept.pop()
        return "\n".join(kept), renumbered

    def _is_entry(self, line: str) -> bool:
        return bool(_ENTRY.match(line)) or line.lstrip()[:1] in set("-*•[") or self._title_within(line) is not None

    def _is_reference(self, line: str) -> bool:
        """A line with a number in brackets and little but a source's title, without a heading above it."""
        entry = _ENTRY.match(line) if line.lstrip().startswith("[") else None
        if entry is None or (number := self._title_within(entry["rest"])) is None:
            return False
        return len(_letters(entry["rest"])) <= len(self._titles[number - 1]) + 80 and not _BRACKETED.search(entry["rest"])

    def _title_within(self, line: str) -> int | None:
        letters = _letters(line)
        found = [number for number, title in enumerate(self._titles, 1) if len(title) >= 12 and title in letters]
        return found[0] if found else None

    def _note(self, line: str, renumbered: dict[int, int]) -> None:
        entry = _ENTRY.match(line)
        if entry and (number := entry["number"] or entry["named"]) and (source := self._title_within(entry["rest"])) is not None:
            renumbered[int(number)] = source


def _numbers(items: str) -> list[int]:
    """The numbers of a marker, ranges written out; one too long for any source stays too large."""

    def whole(ends: re.Match[str]) -> str:
        first, last = int(ends[1][:_MOST_DIGITS]), int(ends[2][:_MOST_DIGITS])
        return ",".join(map(str, range(first, last + 1))) if first < last < first + _LONGEST_RANGE else f"{first},{last}"

    written = re.sub(r"(\d+)\s*(?:[-–—]|\bto\b)\s*(\d+)", whole, items)
    return [int(number[:_MOST_DIGITS]) for number in re.findall(r"\d+", written)]


def _all_markers(text: str) -> bool:
    return bool(text.strip()) and not _BRACKETED.sub("", text).strip(" ,;.")


def _letters(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _capitalised(pattern: re.Pattern[str], replace: Callable[[re.Match[str]], str], text: str) -> str:
    """The text with what is led by a phrase beginning with a capital once the phrase is gone."""
    parts: list[str] = []
    end = 0
    for found in pattern.finditer(text):
        before = text[end : found.start()]
        parts += [before if not parts else before[:1].upper() + before[1:], replace(found), " "]
        end = found.end()
    rest = text[end:]
    return "".join([*parts, rest[:1].upper() + rest[1:] if parts else rest])
