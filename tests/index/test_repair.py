from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.repair import repair

FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
COMMANDS = r"times|\times| times |sim|\sim | sim |pm| pm |\pm|approx |\approx|^{|_{|{\em |\textbf{|mathcal{|``|\le|\to ".split("|")
MARKUP = [*COMMANDS, *r"%|\%|$|\$|{|}|(|)|''|x| |  |-|,|.|2real".split("|")]
FIGURES = st.one_of(st.integers(0, 10**6).map(str), st.decimals(0, 999, places=2).map(str), st.integers(1000, 10**6).map("{:,}".format))
LATEX = st.lists(st.one_of(FIGURES, st.sampled_from(MARKUP), st.sampled_from(["model", "speed up", "we", "A"])), max_size=20).map("".join)


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("2.4times faster", "2.4× faster"),
        (r"up to 2.4\times faster", "up to 2.4× faster"),
        ("a 4times4 grid", "a 4×4 grid"),
        ("2-4times", "2-4×"),
        (r"sim15\% of", "~15% of"),
        ("saves sim 15%", "saves ~15%"),
        (r"$\sim$4.4 million", "~4.4 million"),
        (r"approximately \textasciitilde42% time", "approximately ~42% time"),
        ("2.36sim 8.02times", "2.36–8.02×"),
        ("15times sim 24times storage", "15×–24× storage"),
        ("0.951pm0.017", "0.951±0.017"),
        ("0.951 pm 0.017", "0.951±0.017"),
        ("approx 3 hours", "≈3 hours"),
        (r"{\em Hydra} and \textbf{Lyra}", "Hydra and Lyra"),
        (r"{\em a {\bf b {\it c {\tt d {\sc e}}}}}", "a b c d e"),
        ("O(N^{2}) and x_{i}", "O(N^2) and x_i"),
        ("mathcal{O}(n)", "O(n)"),
        (r"\alpha \leq 3", "α ≤ 3"),
        ("``quoted''", "“quoted”"),
        (r"96.5\% \& more \#1", "96.5% & more #1"),
        ("two   spaces\n\nand lines ", "two spaces and lines"),
        ("widetilde P and mathcal O(n)", "P̃ and O(n)"),
        ("a ell_1{ell_2} penalty", "a ℓ_1/ℓ_2 penalty"),
        ("O(K^{3{4}}) with epsilon=8{255}", "O(K^{3/4}) with epsilon=8/255"),
        ("x leq y cdot z", "x ≤ y · z"),
        ("Oleft( n log(n) right)", "O( n log(n) )"),
        ("{De}coupled {bf x} sqrt T", "Decoupled x √T"),
        (r"S\(^2\)-Attn", "S^2-Attn"),
        ("<i>E. coli</i>&nbsp;&amp; CO<sub>2</sub> at 10<sup>6</sup>", "E. coli & CO2 at 10^6"),
        ("TNF&agr; in 5 &mgr;m, <jats:p>p &amp;lt; 0.05</jats:p>", "TNFα in 5 μm, p < 0.05"),
        ("Al_2O_3 and CO_2, but L_2 and x_2", "Al2O3 and CO2, but L_2 and x_2"),
        ("only 2.1$μ$W", "only 2.1μW"),
    ],
)
def test_latex_residue_is_repaired(raw: str, read: str) -> None:
    assert repair(raw) == read


@pytest.mark.parametrize(
    "plain",
    [
        "it ran 3 times and took two sim cards",
        "bridging the sim2real gap, real2sim2real and sim2sim",
        "Similar models simulate 3 agents",
        "it costs $5 to $10 and $3/$4",
        "at 5 pm 20 people left",
        "u_{t+1} needs its braces, and so does 10^{2}3",
        "3$4$",
        "sometimes 4 timestamps",
        "if a < b and c > d, take <mask>; well, left(over) feelings",
        "the approximate similarity of 5 simple bells",
        r"C:\Hidden stays, and so does \HB",
        "f{x} or {a: 1}",
        "",
    ],
)
def test_plain_text_is_left_alone(plain: str) -> None:
    assert repair(plain) == plain


PARTS = r"\ { } {\em  \textbf{ mathcal{ \" \'{ $ $x$ . &amp; & < <i <sub> ^{ _{ `` 1sim 1times left( Aleft(".split(" ")
PARTS += r"ell_1{ \frac{ \sqrt{ \\ \$ {bf".split(" ")


@pytest.mark.parametrize("part", [*PARTS, "&" + "amp;" * 3, "{bf ", "( "])
def test_no_text_takes_long(part: str) -> None:
    began = time.process_time()
    for text in (part * 20_000, part * 20_000 + "x}", "a" + part * 20_000 + "}" * 20_000, (part + " ") * 20_000):
        repair(text)
    assert time.process_time() - began < 20


@given(LATEX)
def test_repair_never_changes_the_digits(raw: str) -> None:
    assert re.sub(r"\D", "", repair(raw)) == re.sub(r"\D", "", raw)


@given(st.lists(st.tuples(FIGURES, st.sampled_from(["times", r"\%", r"\times", " sim ", "pm", "^{th}", "$", " ", "{\\em x}"]))))
def test_repair_keeps_every_figure_apart(parts: list[tuple[str, str]]) -> None:
    raw = " and ".join(figure + markup for figure, markup in parts)
    assert FIGURE.findall(repair(raw)) == [figure for figure, _ in parts]


@given(st.one_of(LATEX, st.text()))
def test_repair_is_idempotent(raw: str) -> None:
    assert repair(repair(raw)) == repair(raw)
