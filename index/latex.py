r"""Reads LaTeX's markup in titles, names and abstracts: accents, letters, symbols, styles, groups.

Goes in: text with commands, as BibTeX files have it and as listings leave it. Comes out: the text as a person
would write it; an unknown command stays as it stands. One pass over the text, however deeply it is nested.
Knows nothing of commands that lost their backslash (see `repair`).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from index.markup import script

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi psi omega".split()
)

_SYMBOLS = {
    **{name: unicodedata.lookup(f"GREEK SMALL LETTER {'LAMDA' if name == 'lambda' else name.upper()}") for name in _GREEK},
    **{name.title(): unicodedata.lookup(f"GREEK CAPITAL LETTER {'LAMDA' if name == 'lambda' else name.upper()}") for name in _GREEK},
    **{f"var{name}": char for name, char in zip("Gamma Delta Theta Lambda Sigma Phi Omega".split(), "ΓΔΘΛΣΦΩ", strict=True)},
    "varepsilon": "ε", "vartheta": "ϑ", "varphi": "φ", "varrho": "ϱ", "varsigma": "ς", "varpi": "ϖ", "digamma": "ϝ",
    "times": "×", "div": "÷", "pm": "±", "mp": "∓", "cdot": "·", "ast": "*", "star": "⋆", "circ": "∘", "bullet": "•", "colon": ":",
    "sim": "~", "approx": "≈", "simeq": "≃", "cong": "≅", "equiv": "≡", "propto": "∝", "neq": "≠", "ne": "≠",
    "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "leqslant": "≤", "geqslant": "≥", "lesssim": "≲", "gtrsim": "≳", "ll": "≪", "gg": "≫",
    "lt": "<", "gt": ">", "to": "→", "rightarrow": "→", "longrightarrow": "→", "leftarrow": "←", "leftrightarrow": "↔", "mapsto": "↦",
    "Rightarrow": "⇒", "Leftarrow": "⇐", "Leftrightarrow": "⇔", "implies": "⇒", "iff": "⇔", "uparrow": "↑", "downarrow": "↓",
    "rightleftharpoons": "⇌", "in": "∈", "notin": "∉", "ni": "∋", "subset": "⊂", "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇",
    "cup": "∪", "cap": "∩", "setminus": "∖", "emptyset": "∅", "varnothing": "∅", "forall": "∀", "exists": "∃", "neg": "¬", "land": "∧",
    "lor": "∨", "wedge": "∧", "vee": "∨", "oplus": "⊕", "otimes": "⊗", "odot": "⊙", "perp": "⊥", "parallel": "∥", "mid": "|", "vert": "|",
    "|": "‖", "Vert": "‖", "lVert": "‖", "rVert": "‖", "lvert": "|", "rvert": "|", "langle": "⟨", "rangle": "⟩", "lceil": "⌈", "rceil": "⌉",
    "lfloor": "⌊", "rfloor": "⌋", "top": "⊤", "bot": "⊥", "infty": "∞", "partial": "∂", "nabla": "∇", "sum": "∑", "prod": "∏", "int": "∫",
    "ell": "ℓ", "hbar": "ℏ", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ", "prime": "′", "dagger": "†", "ddagger": "‡", "degree": "°",
    "ldots": "...", "dots": "...", "cdots": "⋯", "vdots": "⋮", "odot*": "⊙", "checkmark": "✓", "angle": "∠", "triangle": "△", "micro": "µ",
    "ohm": "Ω", "angstrom": "Å", "celsius": "°C", "percent": "%", "copyright": "©", "textcopyright": "©", "pounds": "£", "euro": "€",
    "texteuro": "€", "textsterling": "£", "textyen": "¥", "textcent": "¢", "texttrademark": "™", "textregistered": "®", "S": "§", "P": "¶",
    "textsection": "§", "textparagraph": "¶", "textdegree": "°", "textmu": "μ", "textohm": "Ω", "textpm": "±", "texttimes": "×",
    "textdiv": "÷", "textbullet": "•", "textperiodcentered": "·", "textemdash": "—", "textendash": "–", "textasciitilde": "~",
    "textasciicircum": "^", "textbar": "|", "textless": "<", "textgreater": ">", "textunderscore": "_", "textellipsis": "...",
    "textquoteleft": "‘", "textquoteright": "’", "textquotedblleft": "“", "textquotedblright": "”", "textquotedbl": '"', "dq": '"',
    "textquotesingle": "'", "quotesinglbase": "‚", "quotedblbase": "„", "guillemotleft": "«", "guillemotright": "»",
    "guilsinglleft": "‹", "guilsinglright": "›", "textexclamdown": "¡", "textquestiondown": "¿", "textonehalf": "½",
    "textonequarter": "¼", "textthreequarters": "¾", "textonesuperior": "¹", "texttwosuperior": "²", "textthreesuperior": "³",
    "textordfeminine": "ª", "textordmasculine": "º", "textrightarrow": "→", "textleftarrow": "←", "textdagger": "†", "textdaggerdbl": "‡",
    "textregisteredsymbol": "®", "textminus": "−", "textnumero": "№", "LaTeX": "LaTeX", "TeX": "TeX", "BibTeX": "BibTeX",
    "textbackslash": "\\",
}  # fmt: skip
"""Commands with an everyday character."""
_SYMBOLS |= {f"text{name}": char for name, char in _SYMBOLS.items() if name.lower() in _GREEK}

_OPERATORS = frozenset(
    "log ln exp min max sin cos tan arg argmin argmax sup inf lim det dim ker deg gcd Pr poly polylog softmax sign mod bmod".split()
)
"""Commands that print their own name."""

_LETTERS = {
    "ss": "ß", "SS": "ẞ", "o": "ø", "O": "Ø", "l": "ł", "L": "Ł", "ae": "æ", "AE": "Æ", "oe": "œ", "OE": "Œ", "aa": "å", "AA": "Å",
    "i": "ı", "j": "ȷ", "dh": "ð", "DH": "Ð", "th": "þ", "TH": "Þ", "dj": "đ", "DJ": "Đ", "ng": "ŋ", "NG": "Ŋ", "ij": "ĳ", "IJ": "Ĳ",
}  # fmt: skip
"""Letters within a word; the blank after such a command ends its name."""

_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307", '"': "\u0308",
    "r": "\u030a", "H": "\u030b", "v": "\u030c", "c": "\u0327", "k": "\u0328", "d": "\u0323", "b": "\u0331", "t": "\u0361",
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303", "bar": "\u0304", "overline": "\u0304",
    "dot": "\u0307", "ddot": "\u0308", "vec": "\u20d7", "check": "\u030c", "breve": "\u0306", "acute": "\u0301", "grave": "\u0300",
}  # fmt: skip
"""Commands that put a mark on the letter that follows."""
_MATHEMATICAL = frozenset("hat widehat tilde widetilde bar overline dot ddot vec check breve acute grave t".split())
"""Marks that stand on letters for which Unicode has no character of its own, too."""
_ALONE = {"^": "^", "~": "~", "'": "'", "`": "`", '"': '"', "=": "=", ".": "."}

_SWITCHES = frozenset(
    "em bf it tt sc rm sf sl bfseries itshape scshape ttfamily sffamily rmfamily upshape mdseries normalfont tiny scriptsize "
    "footnotesize small normalsize large Large displaystyle textstyle scriptstyle left right middle big Big bigg Bigg bigl bigr Bigl Bigr "
    "biggl biggr limits nolimits noindent protect relax centering cal boldmath nobreakspace ensuremath".split()
)
_STYLES = frozenset(
    "textbf textit texttt textsc textrm textsf textsl textup textmd textnormal text emph mathcal mathbf mathrm mathbb mathsf mathit mathtt "
    "mathfrak mathscr mathnormal boldsymbol bm pmb underline uline mbox hbox fbox operatorname url path nolinkurl enquote ce textgreek "
    "textcyrillic bibcyr texorpdfstring uppercase lowercase MakeUppercase NoCaseChange xspace textsubscript textsuperscript "
    "textsuperscript* mathring underbrace overbrace".split()
)
_UNITS = frozenset("m s g l mol".split())
_SPACES = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "/": "", "-": "", "@": "", "quad": " ", "qquad": " ", "thinspace": " "}
_SPACES |= {"space": " ", "enspace": " ", "hfill": " ", "newline": " ", "linebreak": " ", "par": " ", "xspace": ""}
_ESCAPED = frozenset("%&#_${}()[]")

_TOKEN = re.compile(r"\\(?:[A-Za-z]+\*?|[\s\S]?)|[{}]|[\^_](?=\{)|``|''|-{2,3}(?!-)|~")
_WORD = re.compile(r"[A-Za-z]+")
_HEX = re.compile(r"00[a-fA-F][0-9a-fA-F]|0[1-9a-dA-D][0-9a-fA-F]{2}|2[0-2][0-9a-fA-F]{2}")
_BARE = re.compile(r"[\\{}$~`'^_-]")
_SUBSCRIPT_ALONE = re.compile(r"(?<![\\$])\$\s?([\^_])\s?(?:\{([^{}$]{1,24})\}|([^\s{}$\\]|[-−]?\d{1,3}))\s?\$(?![\d$])")
_SYMBOL_ALONE = re.compile(r"\$(\\[A-Za-z]+)\$(?![A-Za-z])|\$([^\w\s$\\.,;]|[Α-Ωα-ω])\$")
_CIRC = re.compile(r"(?<!\\)\$?\^\s?(?:\{\s?\\circ\s?\}|\\circ(?![A-Za-z]))\s?\$?|\^\\circ(?=[CFK]\b)")
_MATHEMATICS = re.compile(r"\\\(([^()\\]{0,60}[\^_\\][^()]{0,100}?)\\\)")
_DOLLARS = re.compile(r"(?<![\d\\$])\$([^$\d\s][^$]{0,120}?|\d[^$\s]{0,40})(?<!\\)\$(?![\d$])")
_COMPOUND = re.compile(r"(?<![A-Za-z0-9_^\\])(?:[A-Z][a-z]?(?:_\d{1,2})?){2,12}(?![A-Za-z0-9_{^])")
_ELEMENT = re.compile(r"[A-Z][a-z]?")
_ELEMENTS = frozenset(
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd "
    "In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Th U Pu".split()
)


@dataclass
class _Group:
    """A group that is open."""

    begin: int
    """Where its content begins in what was read so far."""
    opening: str
    """What is written before its content where it stays as it is."""
    closing: str = ""
    act: str = ""
    """What is done with its content: `accent`, `script`, `drop`, `over`, `root`, `cite`; empty where it stays."""
    by: str = ""
    """The command that asks for it."""


def decoded(text: str) -> str:
    """A value of a BibTeX file: LaTeX's markup as characters, grouping braces gone, `~` a blank, `--` a dash."""
    text = text.replace("\xa0", " ")
    return compounds(_Reader(text, braces=False).read()) if _BARE.search(text) else text


def read_commands(text: str) -> str:
    """Any text: what has a backslash or is marked up for certain; `~`, dashes and braces that hold no command stay."""
    return _Reader(text, braces=True).read() if _BARE.search(text) else text


def compounds(text: str) -> str:
    """`Cu_2O` as people write it, `Cu2O`: a word of elements' symbols with numbers below."""
    return _COMPOUND.sub(_compound, text) if "_" in text else text


def _compound(found: re.Match[str]) -> str:
    word = found[0]
    return word.replace("_", "") if "_" in word and all(one in _ELEMENTS for one in _ELEMENT.findall(word)) else word


def _scripted(found: re.Match[str]) -> str:
    content = found[2] or found[3]
    return script(found, found[1], content) + ("{}" if "\\" in content else "")


class _Reader:
    """One pass over a text; `braces` tells whether braces that only group stay."""

    def __init__(self, text: str, braces: bool) -> None:
        text = _CIRC.sub("°", text)
        text = _MATHEMATICS.sub(r"\1", text) if "\\(" in text else text
        text = _SUBSCRIPT_ALONE.sub(_scripted, text)
        text = _SYMBOL_ALONE.sub(lambda found: found[1] or found[2], text)
        self._text = _DOLLARS.sub(r"\1", text)
        self._braces = braces
        self._out: list[str] = []
        self._open: list[_Group] = []
        self._waiting: _Group | None = None
        """A command that waits for the group or letter after it."""
        self._quotes = bool(re.search(r'\\"(?![A-Za-z{\\])', text))
        """Whether `\\"` is a quotation mark that a program escaped."""

    def read(self) -> str:
        at = 0
        for token in _TOKEN.finditer(self._text):
            if token.start() < at:
                continue
            if token.start() > at:
                self._plain(self._text[at : token.start()])
            at = self._take(token)
        self._plain(self._text[at:])
        self._settle()
        for group in self._open:
            self._out[group.begin - 1] = group.opening or self._out[group.begin - 1]
        return "".join(self._out)

    def _take(self, token: re.Match[str]) -> int:
        """Reads one token; where the next begins."""
        text = token[0]
        if text[0] == "\\":
            return self._command(text[1:], token.end())
        if text == "{":
            self._begin(token.end())
        elif text == "}":
            self._end(token.end())
        elif text in ("^", "_"):
            self._settle()
            self._waiting = _Group(0, text, act="script", by=text)
        elif self._braces:
            self._plain(text)
        else:
            self._plain({"~": " ", "--": "–", "---": "—", "``": "“", "''": "”"}[text])
        return token.end()

    def _plain(self, text: str) -> None:
        """Text without markup; its first letter may be what a command waits for."""
        waiting = self._waiting
        if waiting is None or not text:
            self._out.append(text)
            return
        rest = text.lstrip()
        if waiting.act == "accent" and not rest and waiting.by.isalpha():
            return  # `\c {c}`
        self._waiting = None
        if waiting.act != "accent" or not rest or (rest is not text and not (waiting.by.isalpha() or not self._braces)):
            self._out.append(("" if waiting.act == "drop-opening" else waiting.opening) + text)
        elif (marked := self._accented(waiting.by, rest[0], rest[1:2])) is None:
            self._out.append(waiting.opening + text)
        else:
            self._out += (marked, rest[1:])

    def _settle(self) -> None:
        """What a command waited for does not come: it stays as written."""
        if self._waiting is not None:
            self._out.append(self._waiting.opening)
            self._waiting = None

    def _begin(self, at: int) -> None:
        group, self._waiting = self._waiting, None
        if group is None:
            keeps = self._braces and not self._holds_command(at)
            group = _Group(0, "{" if keeps else "", "}" if keeps else "")
        elif group.act:
            group.opening += "{"
            group.closing = "}"
        self._out.append("" if group.act else group.opening)  # where its opening is put should it never close
        group.begin = len(self._out)
        self._open.append(group)

    def _holds_command(self, at: int) -> bool:
        """Whether a group begins with an accent, a letter or a switch of style: then its braces hold just that."""
        found = _TOKEN.match(self._text, at)
        name = found[0][1:] if found and found[0][0] == "\\" else ""
        return any(name in known for known in (_ACCENTS, _LETTERS, _SWITCHES, _STYLES, _SYMBOLS)) and name != "textbackslash"

    def _end(self, at: int) -> None:
        self._settle()
        if not self._open:
            self._out.append("}" if self._braces else "")
            return
        group = self._open.pop()
        if not group.act:
            self._out.append(group.closing)
            return
        content = "".join(self._out[group.begin :])
        del self._out[group.begin :]
        self._act(group, content, at)

    def _act(self, group: _Group, content: str, at: int) -> None:
        if group.act == "over":
            self._out.append(content)
            self._waiting = _Group(0, "/", act="under")
        elif group.act == "drop":
            self._waiting = _Group(0, "") if self._text.startswith("{", at) else None
        else:
            self._out.append(self._made(group, content, at))

    def _made(self, group: _Group, content: str, at: int) -> str:
        whole = f"{group.opening}{content}{group.closing}"
        if group.act == "under":
            return "/" + content
        if group.act == "root":
            return f"√{content}" if len(content) == 1 else f"√({content})"
        if group.act == "cite":
            return f"[{content}]"
        if group.act == "script":
            return self._script(group.by, content, at) or whole
        if group.act == "raised":
            return script(None, group.by, content.strip(), self._last())
        marked = self._accented(group.by, content[:1], content[1:2], sure=True) if content.strip() else _ALONE.get(group.by, "")
        return whole if marked is None else marked + content[1:]

    def _last(self) -> str:
        return next((piece[-1] for piece in reversed(self._out[-4:]) if piece), "")

    def _script(self, mark: str, content: str, at: int) -> str | None:
        """`N^{2}` without its braces, where they group nothing: `u_{t+1}` needs them, and so does `10^{2}3`."""
        short = re.fullmatch(r"[^\W_]{1,12}|\*|[-−]?\d{1,3}|[^\w\s{}]", content)
        after = self._text[at : at + 1]
        return mark + content if short and not (after.isalnum() or after == "_") else None

    def _accented(self, accent: str, base: str, after: str, sure: bool = False) -> str | None:
        """The letter with its mark; None where no such letter is."""
        base = {"ı": "i", "ȷ": "j"}.get(base, base)
        if not base.isalpha():
            return None
        mark = _ACCENTS[accent]
        letter = unicodedata.normalize("NFC", base + mark)
        if accent in _MATHEMATICAL:
            return letter if not after.isalnum() or accent == "t" else base
        if len(letter) > 1:
            return None
        return letter if sure or accent.isalpha() or self._is_accent(accent, base, after) else None

    def _is_accent(self, accent: str, base: str, after: str) -> bool:
        r"""Without braces `\"` and `\'` may be quotation marks that a program escaped: `it\'s`, `\"in\"`."""
        within = self._last().isalpha()
        if accent == '"':
            return base in "aeiouyAEIOUY" and (within or not self._quotes)
        if accent == "'":
            return (
                base in "aeiouyAEIOUYcnzCNZ" or (base in "lrLR" and not self._braces) or (base in "sS" and (after.isalpha() or not within))
            )
        return True

    def _command(self, name: str, at: int) -> int:
        written = "\\" + name
        if self._waiting is not None and self._waiting.act == "accent" and name in _LETTERS:  # `\'\i`
            waiting, self._waiting = self._waiting, None
            self._out.append(self._accented(waiting.by, _LETTERS[name], "", sure=True) or waiting.opening + _LETTERS[name])
            return self._past_name(at, name)
        self._settle()
        if name == "u" and (escaped := _HEX.match(self._text, at)):  # a program's `\u00e9`
            self._out.append(chr(int(escaped[0], 16)))
            return escaped.end()
        if name in _ACCENTS:
            self._waiting = _Group(0, name if name in ("'", '"') else written, act="accent", by=name)
            return at
        if name in _LETTERS:
            self._out.append(_LETTERS[name])
            return self._past_name(at, name)
        if name in _SYMBOLS or name in _OPERATORS:
            self._out.append(_SYMBOLS.get(name, name))
            return self._past_name(at, name) if name.startswith("text") else self._past_empty(at)
        if name in _SPACES:
            self._out.append(_SPACES[name])
            return at
        if name in _SWITCHES:
            return self._past_name(at, name)
        return self._with_argument(name, written, at)

    def _with_argument(self, name: str, written: str, at: int) -> int:
        grouped = self._text.startswith("{", at)
        if name in ("textsuperscript", "textsubscript") and grouped:
            self._waiting = _Group(0, written, act="raised", by="^" if name == "textsuperscript" else "_")
        elif name in _STYLES and grouped:
            self._waiting = _Group(0, "")
        elif name in ("frac", "dfrac", "tfrac") and grouped:
            self._waiting = _Group(0, written, act="over")
        elif name == "sqrt" and grouped:
            self._waiting = _Group(0, written, act="root")
        elif name in ("cite", "citep", "citet", "citealp", "ref", "eqref") and grouped:
            self._waiting = _Group(0, written, act="cite")
        elif name in ("href", "label", "textcolor", "color", "vspace", "hspace", "begin", "end") and grouped:
            self._waiting = _Group(0, written, act="drop")
        elif name in _STYLES:
            return at if self._text[at : at + 1].isspace() or not self._text[at : at + 1] else self._kept(written, at)
        elif name in _ESCAPED:
            self._out.append(name)
        elif name == "\\":
            return self._line_end(at)
        else:
            return self._kept(written, at)
        return at

    def _kept(self, written: str, at: int) -> int:
        """A command that is not known, with the braces of its argument, or one that lost what parted it from the next word."""
        for end in range(len(written) - 1, 2, -1):
            name, rest = written[1:end], written[end:]
            if name in _STYLES or (name in _SYMBOLS and (rest[0].isupper() or (name == "mu" and rest in _UNITS))):
                self._out.append(_SYMBOLS.get(name, "") + rest)
                return at
        self._out.append(written)
        if written[-1:].isalpha() and self._text.startswith("{", at):
            self._out.append("{")
            self._open.append(_Group(len(self._out), "{", "}"))
            return at + 1
        return at

    def _line_end(self, at: int) -> int:
        r"""`\\` ends a line; before a command that is known it is a backslash that was escaped."""
        following = _WORD.match(self._text, at)
        known = following and (following[0] in _SYMBOLS or following[0] in _STYLES or following[0] in _OPERATORS)
        if known and following:
            return self._command(following[0], following.end())
        self._out.append(" ")
        return at

    def _past_name(self, at: int, name: str) -> int:
        """Behind the blank or the empty group that ends a command's name within a word."""
        if self._text.startswith("{}", at):
            return at + 2
        blank = self._text[at : at + 1].isspace() and name.isalpha()
        return at + 1 if blank and (self._text[at + 1 : at + 2].isalpha() or name in _SWITCHES) else at

    def _past_empty(self, at: int) -> int:
        return at + 2 if self._text.startswith("{}", at) else at
