r"""Repairs the LaTeX residue of listing pages, for reading and searching.

Goes in: text as a listing shows it (`2.4times`, `sim 15\%`, `{\em x}`, `N^{2}`). Comes out:
the same text as a person would write it. The rules only ever touch markup: a figure is never
changed, and text that might be plain English (`3 times`, `two sim cards`) is left alone.
Listings lose most backslashes, so that commands often stand as bare words; what is ambiguous
without them (`Rin R^{d}`) stays as it is.
"""

from __future__ import annotations

import re

from index.paper import collapse

_SYMBOLS = {
    "times": "×", "sim": "~", "approx": "≈", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥",
    "ge": "≥", "cdot": "·", "to": "→", "rightarrow": "→", "infty": "∞", "ldots": "...",
    "dots": "...", "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε",
    "varepsilon": "ε", "lambda": "λ", "mu": "μ", "sigma": "σ", "theta": "θ", "tau": "τ",
    "phi": "φ", "pi": "π", "eta": "η", "Theta": "Θ", "Omega": "Ω", "Delta": "Δ", "ell": "ℓ",
    "log": "log", "ll": "≪", "gg": "≫", "neq": "≠", "in": "∈", "textemdash": "—",
    "textendash": "–", "textasciitilde": "~", "textasciicircum": "^", "textbar": "|", "textdegree": "°",
}  # fmt: skip
"""LaTeX commands with an everyday character, used where the backslash survived."""

_STYLE = r"(?:em|bf|it|tt|sc|rm|sf|textbf|textit|texttt|emph|text|textsc|mathcal|mathbf|mathrm|mathbb|underline|url)"

_NOT_TO_WORD = r"(?!2[A-Za-z]{3})"
"""Not before the rest of `sim2real`, `sim2sim`."""

_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # \textbf{x}, {\em x}, \mathcal{O}: the words stay, the style goes.
    (re.compile(r"\{\\" + _STYLE + r"\s+([^{}]*)\}"), r"\1"),
    (re.compile(r"\\" + _STYLE + r"\{([^{}]*)\}"), r"\1"),
    (re.compile(r"(?<![A-Za-z])(?:mathcal|mathbf|mathrm|mathbb|textbf|textit|texttt|textsc|emph)\{([^{}]*)\}"), r"\1"),
    # `$\sim$4`: dollars around one command.
    (re.compile(r"\$(\\[A-Za-z]+)\$(?![A-Za-z])"), r"\1"),
    # Escaped characters.
    (re.compile(r"\\([%&#_$])"), r"\1"),
    # `2.4times`, `2-4times`, `4times4`: a figure glued to the word is always the sign.
    (re.compile(r"(?<=\d)(\s?)\\?times(?=\s*\d)"), r"\1×"),
    (re.compile(r"(?<=\d)\\?times(?![a-z])"), "×"),
    (re.compile(r"(?<=\d) ?\\times(?![a-z])"), "×"),
    # `2.36sim 8.02times` is a range; `sim 15%`, `sim4.4 million`, `approx 3` are not; `sim2real` is a word.
    (re.compile(r"(?<![A-Za-z\d.,])(\d[\d.,]*[×%]?)\s?\\?sim\s?(?=\d)" + _NOT_TO_WORD), r"\1–"),
    (re.compile(r"(?<![A-Za-z\d\\])\\?sim ?(?=\d)" + _NOT_TO_WORD), "~"),
    (re.compile(r"(?<![A-Za-z\\])\\?approx ?(?=\d)"), "≈"),
    # `0.95pm0.02`, `0.95 pm 0.02`; `at 5 pm 20 people` is a time of day.
    (re.compile(r"(?<=\d)(?:\s?\\pm\s?|pm)(?=\d)|(?<=\d)\s?pm\s?(?=\d+\.\d)"), "±"),
    # ``quoted''.
    (re.compile(r"``([^`']{1,120})''"), r"“\1”"),
    # `N^{2}`, `x_{i}`: braces that group nothing; `u_{t+1}` needs them, and so does `10^{2}3`.
    (re.compile(r"([\^_])\{([A-Za-z0-9]{1,12}|\*)\}(?!\w)"), r"\1\2"),
    # `$x$`, math dollars in pairs on one short run, never prices.
    (re.compile(r"(?<!\d)\$([^$\d\s][^$]{0,60}?|\d[^$\s]{0,20})\$(?!\d)"), r"\1"),
)  # fmt: skip

_COMMAND = re.compile(r"\\([A-Za-z]+)(?![A-Za-z])")


def repair(text: str) -> str:
    """The text as a person would write it. Idempotent; white space is collapsed."""
    before, text = "", collapse(text)
    while text != before:  # ends: every rule makes the text shorter
        before = text
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
        text = collapse(_COMMAND.sub(lambda match: _SYMBOLS.get(match[1], match[0]), text))
    return text
