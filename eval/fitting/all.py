"""All that is fitted, in order, as text."""

from __future__ import annotations

from collections.abc import Callable

from assistant.reading import Readers
from eval.fitting.gathering import gather
from eval.fitting.ranking import fit_joining
from eval.fitting.sentences import fit_sentences
from eval.fitting.verdicts import fit_nearness, fit_sureness, fit_verdict
from index import Library


def fit_all(library: Library, readers: Readers, tick: Callable[[], None] = lambda: None, every: int = 1) -> str:
    """The fitted weights and figures. `readers` must hold both. `every`: take only each n-th question.

    Each section begins with the name of its constants. What a section asks with, the weights of those above it, stands in the code:
    where these change, fit again.
    """
    library.reopen_if_moved()
    joining = fit_joining(library, readers, tick, every)
    gathered = gather(library, readers, tick, every)
    return "\n\n".join(
        [
            f"{gathered.asked} training questions over papers that no part has been trained on",
            joining,
            fit_sentences(gathered.sentences),
            fit_nearness(gathered.cases),
            fit_verdict(gathered.cases),
            fit_sureness(gathered.cases),
        ]
    )
