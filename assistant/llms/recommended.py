"""Which local model to run on so much memory.

Goes in: what this machine has. Comes out: a model by its name at Ollama. The table is kept here and nowhere else.
Sizes are those of the default, 4-bit files as the models' pages at ollama.com/library give them; what a model needs is
its file, a tenth of it, and 2 GB for a prompt of some eight thousand tokens. Of the models that fit, the later in the table is the
better at answering from given sources by its makers' own reports; nothing of this was measured here.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

_GIB = 2**30
_PROMPT_GB = 2.0
_OVERHEAD = 1.1
_SYSTEM_GB = 3.0
"""Of a machine's memory, what everything else needs."""
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class LocalModel:
    """A row of the table."""

    name: str
    """At Ollama."""
    file_gb: float

    @property
    def needs_gb(self) -> float:
        """Memory that it needs while it answers."""
        return round(self.file_gb * _OVERHEAD + _PROMPT_GB, 1)


MODELS = (
    LocalModel("qwen3:1.7b", 1.4),
    LocalModel("qwen3:4b", 2.5),
    LocalModel("qwen3:8b", 5.2),
    LocalModel("gemma3:12b", 8.1),
    LocalModel("gpt-oss:20b", 14.0),
    LocalModel("qwen3:30b", 19.0),
    LocalModel("llama3.3:70b", 43.0),
    LocalModel("gpt-oss:120b", 65.0),
)


@dataclass(frozen=True)
class Memory:
    """What this machine has, in GB."""

    ram_gb: float
    gpu_gb: float = 0.0
    """Of the largest graphics card with memory of its own."""

    @property
    def usable_gb(self) -> float:
        """For a model: the card's, where that is more than what is left of the machine's."""
        return max(self.gpu_gb, self.ram_gb - _SYSTEM_GB)

    def __str__(self) -> str:
        card = f", and {self.gpu_gb:.0f} GB on its graphics card" if self.gpu_gb else ""
        return f"{self.ram_gb:.0f} GB of memory{card}"


def best_for(memory: Memory) -> LocalModel | None:
    """The best model that fits, on the card if one fits there that is worth it; None where none fits."""
    on_card = [model for model in MODELS if model.needs_gb <= memory.gpu_gb]
    if on_card:  # from the machine's memory a larger one would be ten times slower
        return on_card[-1]
    fitting = [model for model in MODELS if model.needs_gb <= memory.usable_gb]
    return fitting[-1] if fitting else None


def this_machine() -> Memory:
    """What is here. A container's limit counts."""
    import psutil

    return Memory(min(psutil.virtual_memory().total, _container_limit()) / _GIB, _gpu_gb())


def _container_limit() -> float:
    from pathlib import Path

    try:
        said = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:  # not Linux, or no container
        return float("inf")
    return float(said) if said.isdigit() else float("inf")


def _gpu_gb() -> float:
    """By NVIDIA's own tool, which comes with its driver; 0 where there is none. Apple's chips share the machine's memory."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0.0
    try:
        run = subprocess.run(
            [tool, "--query-gpu=memory.total", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=_LOOK_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):  # a driver that does not answer is no card to run a model on
        return 0.0
    found = [float(line) for line in run.stdout.split() if line.isdigit()]
    return max(found, default=0.0) / 1024
