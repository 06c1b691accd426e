r"""Repairs the residue of LaTeX and HTML in titles and abstracts, for reading and searching.

Goes in: text as a source shows it (`2.4times`, `sim 15\%`, `{\em x}`, `na\"ive`, `CO<sub>2</sub>`). Comes out: the
same text as a person would write it. The rules only ever touch markup: a figure is never changed, and text that might
be plain English (`3 times`, `two sim cards`) is left alone. Listings lose most backslashes, so that commands often
stand as bare words; what is ambiguous without them (`Rin R^{d}`) stays as it is.
"""

from __future__ import annotations

import re

from index.latex import compounds, read_commands
from index.markup import without_html
from index.paper import collapse

_NOT_TO_WORD = r"(?!2[A-Za-z]{3})"
"""Not before the rest of `sim2real`, `sim2sim`."""

_WORDS = {
    "cdot": "·", "leq": "≤", "geq": "≥", "neq": "≠", "infty": "∞", "ldots": "...", "cdots": "⋯", "varepsilon": "ε", "varphi": "φ",
    "nabla": "∇", "otimes": "⊗", "oplus": "⊕", "subseteq": "⊆", "langle": "⟨", "rangle": "⟩", "rightarrow": "→", "hbar": "ℏ",
}  # fmt: skip
"""Commands that are no English words, so that they are known without their backslash."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # `mathcal{O}`, `widetilde P`, `{bf x}`: the backslash comes back, and the command is read.
    (re.compile(
        r"(?<![A-Za-z\\])(?=[metwos])"
        r"(math(?:cal|bf|rm|bb|sf|it|tt|frak|scr)|text(?:bf|it|tt|sc|rm|sf)?|emph|wide(?:tilde|hat)|overline|tilde|sqrt)(?=\{)"
    ), r"\\\1"),
    (re.compile(r"(?<![A-Za-z\\])(wide(?:tilde|hat)|math(?:cal|bb|bf|frak)|tilde) ?(?=[A-Z](?![A-Za-z]))"), r"\\\1 "),
    (re.compile(r"\{(?=(?:bf|em|rm|tt|sf|sc) )"), r"{\\"),
    # `ell_1`, `x leq y`.
    (re.compile(r"(?<![A-Za-z\\])ell(?=[_^])"), "ℓ"),
    (re.compile(rf"(?<![A-Za-z\\])({'|'.join(_WORDS)})(?![A-Za-z{{])"), ""),
    (re.compile(r"(?<![A-Za-z\\])sqrt ?(?=[A-Z](?![A-Za-z]))"), "√"),
    # `{De}coupled`: braces within a word.
    (re.compile(r"(?<![\w^_\\{}])\{([A-Za-z]{1,20})\}(?=[a-z])"), r"\1"),
    # `8{255}`, `Oleft( n right)`; `K^{3{4}}` and `ℓ_1{ℓ_2}` were fractions.
    (re.compile(r"(?<=[A-Z])left\(([^()]{0,200}(?:\([^()]{0,100}\)[^()]{0,200}){0,4}) ?right\)"), r"(\1)"),
    (re.compile(r"\^\{(\d{1,3})\{(\d{1,3})\}\}"), r"^{\1/\2}"),
    (re.compile(r"(?<![\w^_.{}\\])(\d{1,4})\{(\d{1,4})\}(?![\d}])"), r"\1/\2"),
    (re.compile(r"(ℓ_\w)\{(ℓ_\w)\}"), r"\1/\2"),
    # `2.4times`, `2-4times`, `4times4`: a figure glued to the word is always the sign.
    (re.compile(r"(?<=\d)(\s?)\\?times(?=\s*\d)"), r"\1×"),
    (re.compile(r"(?<=\d)\\?times(?![a-z])"), "×"),
    (re.compile(r"(?<=\d) ?\\times(?![a-z])"), "×"),
    # `2.36sim 8.02times` is a range; `sim 15%`, `sim4.4 million`, `approx 3` are not; `sim2real` is a word.
    (re.compile(r"(?:(?<![A-Za-z\d.,])|(?<=\dsim)|(?<=\dsim ))(\d[\d.,]*[×%]?)\s?\\?sim\s?(?=\d)" + _NOT_TO_WORD), r"\1–"),
    (re.compile(r"(?<![A-Za-z\d\\])\\?sim ?(?=\d)" + _NOT_TO_WORD), "~"),
    (re.compile(r"(?<![A-Za-z\\])\\?approx ?(?=\d)"), "≈"),
    # `0.95pm0.02`, `0.95 pm 0.02`; `at 5 pm 20 people` is a time of day.
    (re.compile(r"(?<=\d)(?:\s?\\pm\s?|pm)(?=\d)|(?<=\d)\s?pm\s?(?=\d+\.\d)"), "±"),
    # ``quoted''.
    (re.compile(r"(?:``|'')([^`']{1,120})''"), r"“\1”"),
)  # fmt: skip

_PASSES = 50
"""What one rule reveals another may mend; no text that a person wrote takes more than four."""

_RESIDUE = re.compile(
    r"[\\${}<&^_`]|''|\d ?times|sim ?\d|approx ?\d|\d ?pm|ell[_^]|[A-Z]left\(|(?:tilde|hat|math[a-z]{2,4}|sqrt) [A-Z]\W|" + "|".join(_WORDS)
)
"""Where none of it is in a text, there is nothing to do."""


def repair(text: str) -> str:
    """The text as a person would write it. Idempotent; white space is collapsed."""
    before, text = "", collapse(text)
    for _ in range(_PASSES):
        if text == before or not _RESIDUE.search(text):
            break
        before = text
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement or _symbol, text)
        text = collapse(compounds(read_commands(without_html(text))))
    return text


def _symbol(word: re.Match[str]) -> str:
    return _WORDS[word[1]]
