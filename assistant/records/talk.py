"""What is said to the assistant rather than asked of a paper: greetings, thanks, what can be asked, what the library holds.

Goes in: a question. Comes out: a plain answer, made without search; or None where the question is
none of these. Which it is was learnt (`assistant/query/intent.py`); a word that no such talk has names a theme,
and makes it a question about papers. Knows no paper, and of the turns before only whether there are any.
"""

from __future__ import annotations

import re

from assistant.generation.base import Draft
from assistant.query.intent import is_talk
from assistant.query.language import is_foreign
from assistant.query.question import Question
from assistant.records.overview import contents, greeting, guide
from index import Library

FOREIGN = "only English is read"
_MAY_LEAN = re.compile(
    r"\b(?:this|it|the (?:assistant|app|tool|chat|chatbot|bot|page|site|website|program|thing))\b(?! (?:library|collection)\b)"
    r"|^what(?:'s| is) new\W*$|^how many (?!papers)",
    re.IGNORECASE,
)
"""After an answer, such words as `how does this work` or `how many documents are there` can be about its paper."""


def talk(question: Question, library: Library, first: bool = True) -> Draft | None:
    """The answer to what is asked of the library itself; None for a question about papers.

    `first`: whether no turn came before. Raises what reading the library raises.
    """
    if is_foreign(question.text):
        return Draft(f"The question cannot be read: {FOREIGN}, in papers as in questions. Please ask again in English.", (), False, FOREIGN)
    if question.intent.group != "talk" or not is_talk(question.text):
        return None
    asked = question.intent.name
    if asked not in ("help", "contents"):
        return greeting(library, asked)
    if not first and _MAY_LEAN.search(question.text):
        return None
    return guide(library) if asked == "help" else contents(library)
