"""Words that turn a sentence's sense: directions and other words with their contraries, negations, bounds of figures, spelled numbers.

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

_CONTRARIES = """
training pretraining pre-training train | inference deployment serving deploy deployed;
fine-tuning finetuning | pretraining pre-training; post-training | in-training;
encoder encoders encode encoding encodes | decoder decoders decode decoding decodes; prefill prefilling | decode decoding;
latency | throughput; latency | accuracy; memory | accuracy; memory | compute computation; memory | speed; speed | accuracy;
cpu cpus | gpu gpus; forward | backward; weight weights | activation activations; weight weights | gradient gradients;
image images | text texts; video videos | audio; video videos | image images; vision visual | language textual text;
static | dynamic; online | offline; key keys | value values; key keys | query queries; teacher | student;
supervised | unsupervised self-supervised; labelled labeled | unlabelled unlabeled; first | last; first | second; global | local;
linear | quadratic quadratically exponential exponentially sublinear; structured | unstructured; input inputs | output outputs;
source | target; convex | nonconvex non-convex; synchronous | asynchronous;
centralised centralized central | decentralised decentralized distributed; server servers | client clients;
layer layers | head heads; layer layers | token tokens; width | depth; precision | recall; bias | variance;
explicit explicitly | implicit implicitly; discrete | continuous; row rows row-wise | column columns column-wise; upper | lower;
internal | external; real | synthetic simulated; human manual | automatic; zero-shot | few-shot; seen | unseen; single | multiple;
hardware | software; edge | cloud; lossless | lossy; homogeneous | heterogeneous;
theory theoretical theoretically | practice empirical empirically; attention | convolution convolutions;
model models | dataset datasets; query queries | document documents; storage | bandwidth; energy | time; classification | regression;
translation | summarization summarisation; shared | separate; symmetric | asymmetric; uniform | random; frozen | trained trainable;
communication | computation; deterministic | stochastic; dense | sparse; positive | negative; early earlier | late later;
before | after; inside within | outside; minimum minimal min smallest | maximum maximal max largest biggest bigger; lower | upper;
best | worst; strongest | weakest; highest | lowest; fastest | slowest; longest | shortest; shallow shallower | deep deeper;
narrow narrower | wide wider broad broader larger; thin | thick; common | rare; simple | complex; easy | hard difficult; rich | poor;
safe | unsafe; possible | impossible; necessary | unnecessary; sufficient | insufficient; effective | ineffective;
similar | different; stable | unstable; robust robustly | fragile brittle sensitive susceptible; accurate | inaccurate;
reliable | unreliable; consistent | inconsistent; efficient | inefficient; biased | unbiased; known | unknown; certain | uncertain;
expand expands extended extends | shrink shrinks shorten shortens shortening; widen widens | narrow narrows;
succeed succeeds | fail fails; agree agrees | disagree disagrees; advantage advantages benefit | drawback drawbacks disadvantage;
over above exceeds | under below; strengthen strengthens | weaken weakens;
mitigate mitigates alleviate alleviates solve | aggravate aggravates worsen; quantization quantized | pruning pruned;
autoregressive sequential | parallel; short-term | long-term; monolingual | multilingual; unimodal | multimodal;
public open | private closed; exact | approximate; soft | hard; in-domain | out-of-domain; integer | floating;
read reads | write writes; compress compression | decompress decompression; attacker attack | defender defence defense;
adds add adding added | removes remove removing removed; prevents prevent avoids avoid | causes cause;
allows allow enables enable permits | prevents prevent forbids forbid;
keep keeps preserve preserves maintains retain retains | lose loses lost; helps help | hurts hurt harms;
cheap cheaper | costly expensive costlier; full-rank | low-rank; stateful | stateless
"""
_NO_DIRECTION = frozenset(
    "with without same skip skips most few good well need needs require requires add adds adding avoid avoids remove removes eliminate "
    "eliminates block blocks short long shorter longer help helps let lets loss losses gain gains gained change changes".split()
)
"""Of `FAMILIES`, what too often has another sense."""

Side = tuple[int, int]
"""Of a family: its number, and which of both sides."""


def _sides() -> dict[str, frozenset[Side]]:
    told = [tuple(frozenset(side.split()) for side in family.split("|")) for family in _CONTRARIES.replace("\n", " ").split(";")]
    families: list[tuple[frozenset[str], ...]] = [*FAMILIES, *told]
    found: dict[str, set[Side]] = {}
    for number, family in enumerate(families):
        for side, members in enumerate(family):
            for word in members if number >= len(FAMILIES) else members - _NO_DIRECTION:
                found.setdefault(word, set()).add((number, side))
    return {word: frozenset(sides) for word, sides in found.items()}


SIDES = _sides()
"""For each word that has contraries: the families it is in, and on which side of each. The first of them are `FAMILIES`."""

DENIALS = frozenset("not no never cannot without none nor neither nothing hardly rarely unable".split())
"""What denies the words after it."""

ABSOLUTE = frozenset(
    "all always never none only every entirely fully must hardly few rarely neither no any completely solely exclusively".split()
)
"""What leaves no exception, or nearly nothing."""
