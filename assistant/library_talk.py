"""What is asked of the library itself rather than of a paper: greetings, help, contents, dates.

Goes in: a question. Comes out: a plain answer, made without search; or None where the question is
none of these. A question must have one of these forms as a whole: a word more that names a theme,
and it is a question about papers. Knows no paper, and of the turns before only whether there are any.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from assistant.answering.base import Draft
from assistant.language import is_foreign
from assistant.library_facts import NEWEST_AT_MOST, contents, greeting, guide, newest, of_date
from assistant.question import Question
from index import Library

FOREIGN = "only English is read"

_MARKS = re.compile(r"[^\w\s'-]+")
_IS = re.compile(r"\b(what|who|where)'?s\b")
_COURTESY = re.compile(
    r"^(?:(?:hi|hello|hey|ok|okay)(?: there)? )?(?:please )?(?:(?:can|could|would|will) you )?(?:please )?(?:(?:tell|show) me )?"
    r"(?=(?:wh|how\b)|(?:list|show|give|tell|help|describe|name|explain)\b)"
    r"|(?<=\w)(?: (?:please|thanks|thank you|now|right now|currently|at the moment|exactly|in total|altogether|overall))+$"
)
"""What a question may begin or end with, asking nothing more by it."""


def _one_of(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms))


_FILLER = r"(?:ok|okay|oh|well|great|cool|nice|perfect|awesome|wonderful|excellent|very good|very nice|got it|i see)"
_TO_WHOM = (
    r"(?:there|again|all|everyone|everybody|assistant|bot|friend|today|so much|very much|a lot|a bunch|"
    r"for (?:(?:the|your|all the|all your) (?:help|answers?|explanation)|this|that|helping|answering))"
)
_HELLO = r"(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|how are you(?: doing)?|nice to meet you)"
_THANKS = r"(?:thanks|thank you|thx|many thanks|cheers|much appreciated|that helps|that helped|that was helpful)"
_BYE = r"(?:bye|goodbye|good night|see you|see you later)"
_SMALL_TALK = re.compile(
    rf"(?:{_FILLER} )*(?:(?P<hello>{_HELLO})|(?P<thanks>{_THANKS})|(?P<bye>{_BYE}))"
    rf"(?: (?:{_FILLER}|{_TO_WHOM}|{_HELLO}|{_THANKS}|{_BYE}))*"
)

_IT = r"(?:(?:this|the|your) (?:library|collection)|your (?:database|catalogue|catalog|corpus|archive|index|knowledge base))"
_TOOL = r"(?:(?:this|the) (?:assistant|app|tool|chat|chatbot|bot|page|site|website|program|thing|library)|this)"
_HERE = rf"(?:here|in here|in {_IT})"
_PLACED = rf"(?:{_HERE}|(?:there|available|indexed|stored|loaded)(?: {_HERE})?)"
_PAPERS = r"(?:papers|articles|abstracts|publications|documents)"
_SUBJECTS = r"(?:topics|themes|subjects|areas|fields)"
_WHICH = r"(?:what|which)"
_MAY = r"(?:can|could|may|should)"
_YOU_HAVE = r"(?:(?:do )?you (?:have|know|hold))"
_IT_HOLDS = rf"does {_IT} (?:contain|hold|have|cover|include)"
_SHOW = r"(?:(?:list|show|show me|give me|name|tell me|find|find me)(?: (?:a|the) list of)?)"

_HELP = _one_of(
    r"(?:i need )?(?:some )?help(?: me)?",
    rf"what (?:else )?(?:{_MAY} (?:i|we|one)|i can) (?:ask|do)(?: you)?(?: about)?(?: {_HERE}| with (?:you|{_TOOL}))?",
    rf"{_WHICH} (?:(?:kinds?|sorts?|types?) of )?(?:questions|things) {_MAY} (?:i|we|one) ask(?: you)?(?: here)?",
    rf"{_WHICH} (?:(?:kinds?|sorts?|types?) of )?questions (?:can|do) you answer",
    r"what (?:can you|you can) (?:do|answer|tell me|do for (?:me|us)|help(?: me| us)? with)",
    r"who are you|what are you(?: for)?|what do you do|what is your (?:name|purpose)",
    r"are you (?:a |an )?(?:ai|bot|chatbot|robot|human|person|llm|language model)",
    rf"how (?:do|can|should) (?:i|we|one) use (?:you|{_TOOL})|how to use (?:you|{_TOOL})",
    rf"how do(?:es)? (?:you|{_TOOL}) work|(?:explain )?how you work",
    rf"what (?:is|does) {_TOOL}(?: do| for| about)?",
    r"(?:(?:give|show) me )?(?:some |an |a few )?(?:example|sample) questions?",
)
_CONTENTS = _one_of(
    rf"what (?:else )?is (?:{_HERE}|inside (?:here|{_IT}))",
    rf"what {_YOU_HAVE}(?: {_HERE})?|what {_IT_HOLDS}",
    rf"{_WHICH} {_PAPERS} (?:{_YOU_HAVE}|can you search|there are|are {_PLACED}|{_IT_HOLDS})(?: {_HERE})?",
    rf"how many {_PAPERS}(?: (?:{_YOU_HAVE}|there are|are {_PLACED}|{_IT_HOLDS}))?(?: {_HERE})?",
    rf"how (?:big|large) is {_IT}",
    rf"{_SHOW} (?:everything|(?:all )?(?:of )?(?:the |your )?{_PAPERS})(?: (?:you have|there are|{_PLACED}))?",
    rf"(?:all|(?:a )?list of(?: all)?) (?:the )?{_PAPERS}(?: {_PLACED})?",
    rf"{_WHICH} {_SUBJECTS} (?:{_YOU_HAVE}|do you cover|are covered|are {_PLACED}|{_IT_HOLDS})(?: {_HERE})?",
    rf"what are the (?:main )?{_SUBJECTS} (?:{_HERE}|of {_IT})",
    rf"{_WHICH} sources (?:{_YOU_HAVE}|are {_PLACED})|what are your sources",
    rf"where (?:do|did) (?:the|these|your) {_PAPERS} come from",
    rf"what is {_IT}(?: about)?|(?:describe|tell me about|summari[sz]e|(?:give me )?(?:an )?(?:overview|summary) of) {_IT}",
)

_NEW = r"(?:newest|latest|most recent)"
_NEWEST = _one_of(
    rf"(?:(?:{_SHOW}|{_WHICH} (?:is|are)) )?(?:(?:the|your) )?(?:(?P<before>[1-9]\d?) )?(?:{_NEW}|recent|new) (?:(?P<after>[1-9]\d?) )?"
    rf"(?:paper|article|publication|addition)s?(?: (?:{_PLACED}|(?:do )?you have(?: {_HERE})?))?",
    rf"{_WHICH} (?:paper|article)s? (?:is|are) (?:the )?(?:{_NEW}|new)(?: {_HERE})?",
    rf"what is the {_NEW} {_HERE}|what is new(?: {_HERE})?|(?:is there )?anything new {_HERE}",
    rf"when was the {_NEW} (?:paper|article)(?: {_HERE})? (?:published|released|written)",
)

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in _MONTHS)
_YEAR = r"(?:19|20)\d\d"
_DATE = rf"(?:(?P<date>{_YEAR}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?)|(?P<month>{_MONTH}|sept) (?P<year>{_YEAR}))"
_OF_DATE = re.compile(
    rf"(?:(?:{_SHOW}|{_WHICH}|how many|are there|is there|do you have) )?(?:all |any )?(?:the )?{_PAPERS}(?: you have| {_HERE})?"
    rf"(?: (?:that |which )?(?:are|were|came out|do you have)(?: {_PLACED})?)?"
    rf" (?:(?:published |released |written |dated )?(?:from|in|of|on)|dated)(?: the year)? {_DATE}(?: {_PLACED})?"
)

_MAY_LEAN = _one_of(
    r"\b(?:this|the) (?:assistant|app|tool|chat|chatbot|bot|page|site|website|program|thing)\b",
    r"\bthis\b(?! (?:library|collection)\b)",
    r"^what is new$|^how many (?!papers)\w+$",
    r"\b(?!papers)\w+ are (?:there|available|indexed|stored|loaded|covered)\b(?! (?:in )?here)",
)
"""After an answer, such words as `how does this work` or `how many documents are there` can be about its paper."""


def talk(question: Question, library: Library, first: bool = True) -> Draft | None:
    """The answer to what is asked of the library itself; None for a question about papers.

    `first`: whether no turn came before. Raises what reading the library raises.
    """
    if is_foreign(question.text):
        return Draft(f"The question cannot be read: {FOREIGN}, in papers as in questions. Please ask again in English.", (), False, FOREIGN)
    plain = _plain(question.text)
    if small := _SMALL_TALK.fullmatch(plain):
        return greeting(library, small.lastgroup or "")
    asked = _COURTESY.sub("", plain)
    if not first and _MAY_LEAN.search(asked):
        return None
    for form, answer in _FORMS:
        if found := form.fullmatch(asked):
            return answer(library, found)
    return None


def _plain(text: str) -> str:
    """Lower case, without marks and emoji, `what's` written out."""
    unmarked = _MARKS.sub(" ", text.casefold().replace("’", "'"))
    return " ".join(_IS.sub(r"\1 is", unmarked).split())


def _newest(library: Library, found: re.Match[str]) -> Draft:
    return newest(library, min(NEWEST_AT_MOST, int(found["before"] or found["after"] or NEWEST_AT_MOST)))


def _of_date(library: Library, found: re.Match[str]) -> Draft:
    if found["date"]:
        return of_date(library, found["date"])
    number = [month[:3] for month in _MONTHS].index(found["month"][:3]) + 1
    return of_date(library, f"{found['year']}-{number:02}")


_FORMS: tuple[tuple[re.Pattern[str], Callable[[Library, re.Match[str]], Draft]], ...] = (
    (_CONTENTS, lambda library, _: contents(library)),
    (_HELP, lambda library, _: guide(library)),
    (_NEWEST, _newest),
    (_OF_DATE, _of_date),
)
