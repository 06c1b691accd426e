"""Words whose exchange turns a sentence against its abstract, and verbs that a negation can stand before.

Pairs work both ways. Knows no paper.
"""

from __future__ import annotations

_DIRECTIONS = """
faster slower; quicker slower; higher lower; better worse; best worst; more less; more fewer; larger smaller; bigger smaller;
largest smallest; biggest smallest; highest lowest; fastest slowest; strongest weakest; longer shorter; cheaper costlier;
stronger weaker; earlier later; easier harder; deeper shallower; wider narrower; greater smaller; above below; before after;
increase reduce; increases reduces; increased reduced; increasing reducing; raise lower; raises lowers; raised lowered; raising lowering;
rises falls; rise fall; rising falling; grows shrinks; grow shrink; growing shrinking; gains losses; gain loss;
improves worsens; improve worsen; improved worsened; improving worsening; improvement decline; improvements declines;
cuts raises; cut raise; cutting raising; reduces raises; saves wastes; saving wasting; lowers raises; boosts hurts; boost hurt;
boosting hurting;
outperforms underperforms; outperform underperform; outperforming underperforming; beats trails; beat trail; beating trailing;
surpasses trails; surpass trail; surpassing trailing; exceeds undercuts; exceed undercut; exceeding undercutting;
accelerates slows; accelerate slow; accelerating slowing; speedup slowdown; speedups slowdowns; speeds slows;
prevents causes; prevent cause; avoids causes; avoid cause; avoiding causing; enables prevents; enable prevent; enabling preventing;
helps hurts; help hurt; helping hurting; allows forbids; allow forbid; allowing forbidding; simplifies complicates; simplify complicate;
preserves loses; preserve lose; preserving losing; keeps loses; keep lose; keeping losing; maintains loses; maintaining losing;
removes adds; remove add; removing adding; maximises minimises; maximise minimise; maximises minimises; maximizes minimizes;
maximize minimize;
strong weak; high low; large small; long short; easy hard; cheap costly; fast slow; simple complex; robust fragile; efficient inefficient;
positive negative; early late; accurate inaccurate; stable unstable; effective ineffective; rich poor; rare common; dense sparse;
without with; succeeds fails; succeed fail; possible impossible; sufficient insufficient; necessary unnecessary; similar different;
same different; strengthens weakens; strengthen weaken; alleviates aggravates; mitigates aggravates; mitigate aggravate;
mitigating aggravating; expands shrinks; extends shortens; extend shorten; extending shortening; shortens lengthens; shorten lengthen;
shrinks enlarges; shrink enlarge; shrinking enlarging; narrows widens; narrow widen; narrowing widening; halves doubles; halving doubling;
halved doubled; doubles halves; gained lost; won lost; agrees disagrees; stabilises destabilises; stabilizes destabilizes;
inside outside; over under; superior inferior; advantage drawback; benefits suffers; safe unsafe; reliable unreliable; fewer more
"""

_TERMS = """
training inference; train deploy; pretraining fine-tuning; pre-training fine-tuning; encoder decoder; encoding decoding; prefill decode;
prefilling decoding; latency throughput; memory accuracy; memory compute; accuracy latency; speed accuracy; GPU CPU; GPUs CPUs;
forward backward;
weights activations; weight activation; image text; images texts; video audio; vision language; visual textual; static dynamic;
online offline;
keys values; key value; teacher student; supervised unsupervised; labelled unlabelled; labeled unlabeled; first last; first second;
global local;
linear quadratic; quadratic linear; exponential linear; linear exponential; structured unstructured; input output; inputs outputs;
source target;
convex non-convex; synchronous asynchronous; central distributed; centralized decentralized; centralised decentralised; server client;
servers clients; layer head; layers heads; width depth; depth width; precision recall; bias variance; explicit implicit;
discrete continuous;
row column; rows columns; upper lower; internal external; real synthetic; human automatic; short-term long-term; zero-shot few-shot;
in-domain out-of-domain; seen unseen; single multiple; hardware software; edge cloud; post-training in-training; lossless lossy;
homogeneous heterogeneous; theory practice; theoretical empirical; attention convolution; parameters data; model dataset; models datasets;
tokens layers; queries documents; storage bandwidth; energy time; gradients weights; classification regression; translation summarization;
shared separate; symmetric asymmetric; uniform random; frozen trained; stateless stateful; low-rank full-rank; communication computation
"""

VERBS = {
    **{f"{base}s": base for base in (
        "accelerate achieve adapt add address adjust agree allow apply assign attain avoid beat benefit boost bring build carry cause "
        "change combine come compare compute consider consist contain converge correct cost cover create cut decide decrease deliver "
        "depend derive describe design detect double draw drop eliminate enable encode estimate examine exceed exploit expose extend "
        "fail fall find fit fix follow form gain generate get give grow guarantee guide handle help hide hold hurt identify ignore "
        "improve include increase inherit integrate introduce involve keep know lead learn let lie limit link lose lower maintain make "
        "map mean measure merge mix move need obtain offer operate optimise optimize outperform overcome perform permit place play "
        "predict present preserve prevent produce propose prove provide prune raise rank read reduce refine rely remain remove replace "
        "require respect restore retain return reuse reveal rise rival run sample save scale see seek select separate serve set share "
        "show shrink simplify skip solve speed split stay store suffer suggest support surpass take tell train transfer treat "
        "turn update use vary work yield"
    ).split()},
    "matches": "match", "reaches": "reach", "does": "do", "goes": "go", "relies": "rely", "applies": "apply", "varies": "vary",
       "surpasses": "surpass", "addresses": "address", "compresses": "compress", "focuses": "focus", "teaches": "teach",
       "uses": "use", "processes": "process", "simplifies": "simplify", "carries": "carry", "switches": "switch", "chooses": "choose",
}  # fmt: skip
"""Third persons that follow a subject, with what follows `does not`."""

AUXILIARIES = frozenset("is are was were can could will would may might must should has have does do".split())

BOUNDS = (
    ("up to", ""), ("as much as", ""), ("as many as", ""), ("at most", "at least"), ("at least", "at most"), ("up to", "at least"),
    ("as much as", "at least"), ("more than", "less than"), ("less than", "more than"), ("fewer than", "more than"),
    ("over", "under"), ("under", "over"), ("above", "below"), ("below", "above"), ("within", "more than"), ("no more than", "more than"),
    ("nearly", "more than"), ("almost", "more than"), ("around", "at least"),
)  # fmt: skip
"""What bounds a figure, and what makes it another bound; empty: it is dropped. Only right before a figure."""

SCOPES = (
    ("some", "all"), ("many", "all"), ("most", "all"), ("several", "all"), ("often", "always"), ("sometimes", "always"),
    ("usually", "always"), ("typically", "always"), ("many", "few"), ("most", "few"), ("all", "none of the"), 
    ("always", "never"), ("often", "rarely"), ("frequently", "rarely"), ("both", "neither of"), 
    ("mainly", "only"), ("partly", "fully"), ("entirely", "partly"), ("may", "must"),
    ("much", "hardly"), ("significantly", "hardly"), ("substantially", "hardly"), ("largely", "entirely"),
)  # fmt: skip
"""Words of scope, and what says more, or the contrary."""

NEGATIVES = (
    ("cannot", "can"), ("is not", "is"), ("are not", "are"), ("was not", "was"), ("were not", "were"), ("do not", ""), ("does not", ""),
    ("did not", ""), ("need not", "must"), ("not only", "only"), ("not", ""), ("no longer", "still"), ("never", "always"), ("no", "some"),
    ("without", "with"), ("none", "all"), ("neither", "both"), ("rarely", "often"), ("hardly", "clearly"), ("few", "many"),
    ("little", "much"), ("instead of", "as well as"), ("rather than", "and also"), ("nor", "and"), ("avoids", "needs"),
    ("free of", "full of"),
)  # fmt: skip
"""Negations, and what is left where they are taken out."""

SYNONYMS = (
    ("faster", "quicker"), ("larger", "bigger"), ("reduces", "lowers"), ("reduces", "cuts"), ("cuts", "reduces"), ("lowers", "reduces"),
    ("reducing", "cutting"), ("reduce", "cut"), ("cut", "reduce"), ("improves", "boosts"), ("improves", "raises"), ("improve", "raise"),
    ("outperforms", "beats"), ("beats", "outperforms"), ("beat", "outperform"), ("surpasses", "exceeds"), ("shows", "demonstrates"),
    ("uses", "employs"), ("use", "employ"), ("method", "approach"), ("approach", "method"), ("methods", "approaches"),
    ("without", "with no"),
    ("needs", "requires"), ("requires", "needs"), ("proposes", "introduces"), ("introduces", "presents"), ("presented", "introduced"),
    ("proposed", "introduced"), ("the authors", "the paper's authors"), ("across", "over"), ("while", "whereas"), ("keeps", "retains"),
    ("keeping", "retaining"), ("about", "roughly"), ("roughly", "about"), ("around", "about"), ("over", "more than"), ("nearly", "almost"),
    ("because", "since"), ("however", "but"), ("enables", "allows"), ("many", "numerous"), ("only", "just"), ("often", "frequently"),
    ("usually", "typically"), ("also", "additionally"), ("which", "that"), ("large", "big"), ("costly", "expensive"), ("cost", "expense"),
    ("tests", "experiments"), ("experiments", "tests"), ("results", "findings"), ("up to", "as much as"), ("as much as", "up to"),
    ("builds", "constructs"), ("helps", "aids"), ("tackles", "addresses"), ("addresses", "tackles"), ("analysed", "studied"),
    ("whole", "entire"), ("speeds up", "accelerates"), ("accelerates", "speeds up"), ("matches", "equals"), ("half", "50%"),
    ("cannot", "can not"), ("does not", "doesn't"), ("do not", "don't"), ("two", "2"), ("three", "3"), ("four", "4"), ("five", "5"),
    ("raises", "increases"), ("raise", "increase"), ("increases", "raises"), ("higher", "greater"), ("smaller", "lesser"),
    ("performance", "results"), ("important", "key"), ("difficult", "hard"), ("hard", "difficult"), ("easy", "simple"),
)  # fmt: skip
"""What says the same."""


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Each pair both ways."""
    pairs = [tuple(pair.split()) for pair in text.replace("\n", " ").split(";")]
    return tuple(dict.fromkeys(way for one, other in pairs for way in ((one, other), (other, one))))


DIRECTIONS = _pairs(_DIRECTIONS)
TERMS = _pairs(_TERMS)
