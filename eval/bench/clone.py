"""From a fresh clone to the first cited answer, with the bytes downloaded.

Clones the repository that this program runs from (its last commit), sets it up by `make setup`, and asks. The
bytes are what pip keeps of its downloads in an empty cache, and what came in meanwhile. Needs git, make, and the network.
"""

from __future__ import annotations

import json
import shutil
import socket
import sys
from pathlib import Path

from eval.bench import commands
from eval.bench.figures import Part, Row
from eval.bench.plan import Plan

_COUNTERS = Path("/proc/net/dev")
_TORCH = "download.pytorch.org"
_PATIENCE = 10.0
_ROOT = Path(__file__).parents[2]


def measure(plan: Plan) -> Part:
    """Once; on Linux with PyTorch's CPU build, where its own index can be reached: else with what pip's index has."""
    title = "From a fresh clone to the first answer"
    missing = [name for name in ("git", "make") if shutil.which(name) is None]
    if missing or not (_ROOT / ".git").exists():
        why = f"{missing[0]} is not installed" if missing else f"{_ROOT} is no clone"
        return Part("clone", title, {}, notes=(f"Not measured: {why}.",))
    tree, cache, home = plan.scratch / "clone", plan.scratch / "pip-cache", plan.scratch / "clone-home"
    for folder in (tree, cache, home):
        shutil.rmtree(folder, ignore_errors=True)
    plan.tell("clone: cloning")
    cloned = commands.run(["git", "clone", "--quiet", "--no-hardlinks", "--depth", "1", _ROOT.as_uri(), str(tree)])
    chosen = ["TORCH=cpu"] if sys.platform == "linux" and _reached() else []
    plan.tell("clone: make setup, some minutes")
    before = received(_COUNTERS)
    made = commands.run(["make", "setup", f"PYTHON={sys.executable}", *chosen], {"PIP_CACHE_DIR": str(cache), "PYTHONPATH": ""}, tree)
    arrived = received(_COUNTERS) - before
    plan.tell("clone: the first answer, which indexes the starter library")
    question = plan.questions[0]
    python = str(tree / ".venv" / "bin" / "python")
    own = {"HOME": str(home), "XDG_DATA_HOME": str(home), "ASSISTANT_HOME": "", "PYTHONPATH": ""}  # a user who never used it
    home.mkdir()
    asked = commands.run([python, "-m", "assistant", "ask", question, "--json"], own, tree)
    steps = {"git clone": cloned.lap, "make setup": made.lap, "first answer": asked.lap}
    return Part(
        "clone",
        title,
        {"question": question, "make": ["setup", *chosen], "citations": len(json.loads(asked.output)["citations"])},
        rows=(
            *(Row(what, one.wall, "s", one.cpu) for what, one in steps.items()),
            Row("all", sum(one.wall for one in steps.values()), "s", sum(one.cpu for one in steps.values())),
            Row("downloaded by git", _megabytes(tree / ".git"), "MB"),
            Row("kept by pip of its downloads", _megabytes(cache), "MB"),
            *([Row("received by the whole machine meanwhile", arrived, "MB")] if arrived else []),
        ),
        notes=(
            "Cloned from this disk. Pip keeps nothing where the index forbids it; the machine receives what other programs ask for too.",
            *(() if chosen else ("PyTorch's CPU build was taken from what pip knows here, PyTorch's own index being out of reach.",)),
        ),
    )


def received(counters: Path) -> float:
    """Megabytes that came in since the system started, as Linux counts them; 0 where it does not tell."""
    if not counters.exists():
        return 0.0
    told = [line.partition(":") for line in counters.read_text(encoding="utf-8").splitlines() if ":" in line]
    return sum(int(numbers.split()[0]) for name, _, numbers in told if name.strip() != "lo") / 1e6


def _reached() -> bool:
    """Whether PyTorch's own index answers: pip would try for many minutes."""
    try:
        with socket.create_connection((_TORCH, 443), timeout=_PATIENCE):
            return True
    except OSError:
        return False


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6
