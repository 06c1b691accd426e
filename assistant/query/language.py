"""Whether a text is in another language than English, as far as its letters and small words tell.

Goes in: a clean text. Comes out: yes, or no where that is not plain. Knows six neighbours of
English by their function words, and all that is not written in Latin letters; Latin-script
languages beyond the six pass as English.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"[^\W\d_]+|¿")
_FEWEST_WORDS = 3
_FEWEST_FOREIGN = 2
_FEWEST_LETTERS = 4
"""Letters of another script that make more than a symbol."""

_ENGLISH = frozenset(
    "the and what how which why when where who whose does did are were for from with this that these those there it its be been has "
    "have can could would should than then them they their you your my our about between into if to by using".split()
)
_OTHERS = tuple(
    frozenset(words.split())
    for words in (
        # German
        "und ist wie warum welche welcher welches welchen wird werden wurde nicht eine einen einem einer ein für fuer über ueber auf "
        "zwischen sind gibt kann können koennen durch oder wenn auch nach vom zum zur wozu wofür womit ich sie funktioniert "
        "bedeutet",
        # French
        "quel quelle quels quelles est sont pourquoi qui que quoi qu avec dans une cette entre sur leur leurs peut peuvent elle "
        "nous vous je où quand fonctionne fonctionnent signifie",
        # Spanish
        "¿ qué que cuál cuáles cual cuales cómo como cuándo dónde por porque está están son una entre sobre puede pueden esta este "
        "estos estas muy más según quién cuántos cuántas un funciona funcionan significa",
        # Italian
        "che cosa quale quali perché perche sono è una gli degli nel nella nelle nei tra quando dove questo questa questi queste può "
        "possono più dal dalla funziona funzionano significa",
        # Portuguese
        "que qual quais como por porque quando onde uma são está não pelo pela entre sobre esse essa este esta isso isto você mais "
        "também pode podem até é há ao funciona funcionam significa",
        # Dutch
        "wat waarom welke wordt worden een het zijn niet voor naar deze dat tussen bij uit hebben heeft kunnen wie waar wanneer "
        "werkt werken betekent",
    )
)
"""Function words and the commonest verbs of questions; without English words, and without what names are made of (`de`, `la`, `van`)."""


def is_foreign(text: str) -> bool:
    """Whether the text is plainly not English; a foreign name or term in an English question does not make it so."""
    words = set(_WORD.findall(text.casefold()))
    return not words & _ENGLISH and (_in_other_letters(text) or _in_other_words(text, words))


def _in_other_letters(text: str) -> bool:
    """Whether most letters are not Latin."""
    letters = [char for char in unicodedata.normalize("NFKC", text) if char.isalpha()]
    others = sum(not unicodedata.name(char, "LATIN").startswith("LATIN") for char in letters)
    return others >= _FEWEST_LETTERS and others > len(letters) / 2


def _in_other_words(text: str, words: set[str]) -> bool:
    """Whether several function words of one language stand in it."""
    return len(text.split()) >= _FEWEST_WORDS and any(len(words & known) >= _FEWEST_FOREIGN for known in _OTHERS)
