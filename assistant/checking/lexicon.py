"""Words that turn a sentence's sense: directions with their contraries, negations, bounds of figures, spelled numbers.

Goes in: nothing. Comes out: sets of lower-case words. Knows no paper.
"""

from __future__ import annotations

_FAMILIES = (
    (
        "faster fast quicker quick quickly speedup speedups speeds sped accelerate accelerates accelerated accelerating acceleration rapid",
        "slower slow slowly slows slowdown slowed slowing",
    ),
    (
        "higher high increase increases increased increasing raise raises raised raising rise rises rising rose grow grows growing more "
        "larger large greater bigger big boost boosts longer long doubles doubled exceed exceeds enlarge enlarges highest largest most",
        "lower low reduce reduces reduced reducing reduction decrease decreases decreased decreasing cut cuts cutting fall falls fell "
        "falling drop drops dropped shrink shrinks shrinking less fewer smaller small shorter short halve halves halved save saves saved "
        "saving savings lowest smallest least cheaper minimal minimise minimize minimises minimizes tiny",
    ),
    (
        "better best improve improves improved improving improvement improvements outperform outperforms outperformed beat beats surpass "
        "surpasses surpassed exceed exceeds superior gain gains gained good well favourable favorable excel excels stronger strong",
        "worse worst worsen worsens underperform underperforms trail trails degrade degrades degraded degradation inferior loss losses "
        "lose loses bad poor poorly weak weaker hurt hurts harm harms decline declines",
    ),
    ("enable enables allow allows let lets help helps", "prevent prevents forbid forbids hinder hinders hamper hampers block blocks"),
    (
        "avoid avoids remove removes eliminate eliminates skip skips prevent prevents mitigate mitigates alleviate alleviates without",
        "cause causes add adds adding need needs require requires aggravate aggravates with",
    ),
    ("keep keeps kept preserve preserves preserved maintain maintains retain retains same", "lose loses lost change changes different"),
    ("easy easily simple simpler easier simplify", "hard harder difficult complex complicated complicate struggle struggles"),
    ("efficient efficiently efficiency", "inefficient inefficiently inefficiency"),
    ("accurate", "inaccurate"),
    ("robust stable reliable", "fragile unstable unreliable"),
    ("before early earlier", "after late later"),
    ("positive", "negative"),
)
FAMILIES = tuple((frozenset(one.split()), frozenset(other.split())) for one, other in _FAMILIES)
"""Words of one direction, and those of the contrary one."""

NEGATIONS = frozenset(
    "not no never cannot without none nor neither nothing hardly rarely unclear unable n't fails fail failed lack lacks lacking few "
    "little instead rather unlike".split()
)

UPPER = frozenset(("up to", "as much as", "as many as", "at most", "as high as", "no more than", "less than", "fewer than", "under",
                   "below", "within", "maximum of", "as low as", "up"))  # fmt: skip
LOWER = frozenset(("at least", "more than", "over", "above", "exceeding", "beyond", "greater than", "no less than", "larger than"))
"""What stands before a figure that others stay below, or above."""
_BEST = frozenset(("up to", "as much as", "as many as", "at most", "as high as", "no more than", "maximum of", "as low as", "up"))
_ROUND = "nearly almost about around approximately roughly some circa close to".split()

SPELLED = {
    word: str(number)
    for number, word in enumerate("zero one two three four five six seven eight nine ten eleven twelve".split())
    if number not in (0, 1)
} | {"half": "50%", "halves": "50%", "halved": "50%", "halving": "50%", "quarter": "25%", "fifth": "20%", "third": "33%",
     "twice": "2x", "double": "2x", "doubles": "2x", "doubled": "2x", "thrice": "3x", "triple": "3x", "triples": "3x", "twofold": "2x",
     "threefold": "3x", "fourfold": "4x", "fivefold": "5x", "tenfold": "10x", "hundred": "100", "thousand": "1000",
     "dozen": "12"}  # fmt: skip
"""Numbers and shares in words."""
