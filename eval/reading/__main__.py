"""`python -m eval.reading PACK OUT`: trains from a pack where no library is, on a machine with a GPU, say.

`python -m eval train --only-pack PACK` writes the pack. Besides this repository it needs torch,
transformers and safetensors, what `assistant` and `index` import (numpy, filelock, platformdirs,
pydantic-settings), and the embedding model: its package, or a folder of it named with --base.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from zipfile import BadZipFile

from eval.reading.examples import Pack, TrainingError
from eval.reading.pipeline import DEVICES, Plan, Stages, chosen_device, hashes, run, writable
from index import ModelError
from index.embedding.minilm import installed, verify


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.reading", description="Train encoder, reader and matcher from a pack.")
    parser.add_argument("pack", type=Path, help="what `python -m eval train --only-pack` wrote")
    parser.add_argument("out", type=Path, help="the folder that the weights go to")
    parser.add_argument("--device", choices=DEVICES, help="by default a GPU where there is one")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--base", type=Path, help="the embedding model's folder; by default the installed package's")
    asked = parser.parse_args(arguments)
    stages = Stages(lambda line: print(line, file=sys.stderr, flush=True))
    try:
        base = asked.base or installed()
        verify(base)
        plan = Plan(base, writable(asked.out), chosen_device(asked.device), asked.seed)
        files = run(_pack(asked.pack), plan, stages)
    except (TrainingError, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(hashes(files))
    print(stages.summary)
    return 0


def _pack(file: Path) -> Pack:
    try:
        return Pack.load(file)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise TrainingError(f"{file}: not a pack ({error}): write one with `python -m eval train --only-pack {file}`") from error


if __name__ == "__main__":
    sys.exit(main())
