"""Which machine, versions and settings made the figures."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    *("chromadb", "gradio", "llama-index-core", "llama-index-embeddings-huggingface", "llama-index-vector-stores-chroma"),
    *("numpy", "onnxruntime", "sentence-transformers", "tokenizers", "torch", "transformers"),
)
_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TOKENIZERS_PARALLELISM")


def describe() -> dict[str, Any]:
    """For JSON, and for the head of the table."""
    from assistant import __version__

    return {
        "assistant": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory_gb(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": {name: _version(name) for name in PACKAGES},
        "environment": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }


def in_words(found: dict[str, Any]) -> list[str]:
    """The same in lines."""
    versions = ", ".join(f"{name} {number}" for name, number in found["versions"].items() if number)
    environment = ", ".join(f"{name}={value}" for name, value in found["environment"].items()) or "nothing set"
    memory = "" if found["memory_gb"] is None else f", {found['memory_gb']:.0f} GB of memory"
    load = "" if found["load"] is None else f", load at the start {found['load']:.1f}"
    return [
        f"{found['processor']}, {found['cores']} cores{memory}, {found['system']}{load}",
        f"paper-assistant {found['assistant']}, Python {found['python']}, {versions}",
        f"environment: {environment}",
    ]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.is_file():
        for line in told.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):
        return None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
