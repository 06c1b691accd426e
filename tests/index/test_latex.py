from __future__ import annotations

import pytest

from index.latex import decoded
from index.repair import repair

BOTH = [
    (r"na\"ive and na{\"\i}ve", "naïve and naïve"),
    (r"\'{e}t\'e, {\'E}tude, {\'{E}}tat", "été, Étude, État"),
    (r"G{\"{o}}del, \c{c}a, \c ca, Er\H{o}s, \v{S}im\r{a}n", "Gödel, ça, ça, Erős, Šimån"),
    (r"Stra\ss e, S\o ren, \L\'od\'z, Stanis{\l}aw, {\AA}ngstr{\"o}m, \O{}re", "Straße, Søren, Łódź, Stanisław, Ångström, Øre"),
    (r"\textbf{a \emph{b} c} {\em d {\bf e}}", "a b c d e"),
    (r"$\frac{1}{2}$ and $\sqrt{n}$, $\alpha \leq 3$", "1/2 and √n, α ≤ 3"),
    (r"Cu$_2$O, Fe$_{2}$O$_{3}$, Cu$^{2+}$, 10$^{6}$ cm$^{-3}$", "Cu2O, Fe2O3, Cu2+, 10^6 cm^-3"),
    (r"5\,$^\circ$C, 50\,^\circC, 79\,^{\circ}K", "5 °C, 50 °C, 79 °K"),
    (r"\textsuperscript{13}C, 5\textsuperscript{th}, H\textsubscript{2}O", "13C, 5th, H2O"),
    (r"5\% \& more \#1 for \$5", "5% & more #1 for $5"),
    (r"\textmu m, \textdegree C, \texttrademark", "μm, °C, ™"),
    (r"\tilde{O}(n), \widetilde P, \hat{x}", "Õ(n), P̃, x̂"),
    (r"it\'s \"in\" quotes", 'it\'s "in" quotes'),
    (r"\unknown{x} stays", r"\unknown{x} stays"),
    (r"\href{http://x.example}{here}, \cite{key}", "here, [key]"),
    ("Mu\\u00f1oz", "Muñoz"),
    (r"200 \mum and \sigmaReparam", "200 μm and σReparam"),
]


@pytest.mark.parametrize(("written", "read"), BOTH)
def test_latex_reads_the_same_from_bibtex_and_from_a_listing(written: str, read: str) -> None:
    assert decoded(written) == read
    assert repair(written) == read
    assert repair(read) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{W}annier and {{DNA}} in {Cu$_2$O}", "Wannier and DNA in Cu2O"),
        ("10--20 --- ``so'' J.~R.", "10–20 — “so” J. R."),
        (r"a set \{1, 2\}", "a set {1, 2}"),
        ("one } too many and { one", "one  too many and  one"),
    ],
)
def test_of_bibtex_grouping_braces_go(written: str, read: str) -> None:
    assert decoded(written) == read


def test_nesting_may_be_deep() -> None:
    assert decoded(r"{\em " * 20_000 + "x" + "}" * 20_000) == "x"
    assert repair(r"\textbf{" * 20_000 + "x" + "}" * 20_000) == "x"
