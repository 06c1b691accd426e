"""Training from a pack on a machine where no listings are: the arguments, the pack and what is told, for each kind of pack."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

from eval.reading.examples import TrainingError
from eval.reading.pipeline import DEVICES, Plan, Stages, chosen_device, hashes, writable
from index import ModelError
from index.embedding.minilm import installed, verify

P = TypeVar("P")


def train_elsewhere(
    parser: argparse.ArgumentParser,
    arguments: list[str] | None,
    written_by: str,
    load: Callable[[Path], P],
    train: Callable[[P, Plan, Stages], list[Path]],
) -> int:
    """The exit status. `written_by`: the command that writes such packs; `train` gives the files of weights."""
    parser.add_argument("pack", type=Path, help=f"what `{written_by}` wrote")
    parser.add_argument("out", type=Path, help="the folder that the weights go to")
    parser.add_argument("--device", choices=DEVICES, help="by default a GPU where there is one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base", type=Path, help="the embedding model's folder; by default the installed package's")
    asked = parser.parse_args(arguments)
    stages = Stages(_tell)
    try:
        base = asked.base or installed()
        verify(base)
        plan = Plan(base, writable(asked.out), chosen_device(asked.device), asked.seed)
        files = train(_loaded(asked.pack, written_by, load), plan, stages)
    except (TrainingError, ModelError) as error:
        _tell(f"error: {error}")
        return 1
    sys.stdout.write(f"{hashes(files)}\n{stages.summary}\n")
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _loaded(file: Path, written_by: str, load: Callable[[Path], P]) -> P:
    try:
        return load(file)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise TrainingError(f"{file}: not a pack ({error}): write one with `{written_by} {file}`") from error
