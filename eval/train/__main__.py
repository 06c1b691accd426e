"""`python -m eval.train PACK OUT`: trains from a pack where no listings are, on a machine with a GPU, say.

`python -m eval train --only-pack PACK` writes the pack, with `--only check` that of the check of sentences. Besides this repository
it needs torch, transformers and safetensors, what `assistant` and `index` import (numpy, filelock, platformdirs, pydantic-settings),
and the embedding model: its package, or a folder of it named with --base.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from zipfile import BadZipFile

from eval.train.claims import ClaimsRecipe, train_check
from eval.train.claims_pack import ClaimsPack
from eval.train.pack import Pack, TrainingError
from eval.train.pipeline import DEVICES, Plan, Stages, chosen_device, hashes, run, writable
from index import ModelError
from index.embedding.minilm import installed, verify


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.train", description="Train the networks from a pack.")
    parser.add_argument("pack", type=Path, help="what `python -m eval train --only-pack` wrote, or that with `--only check`")
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
        pack = _loaded(asked.pack)
        files = run(pack, plan, stages) if isinstance(pack, Pack) else [train_check(pack, plan, ClaimsRecipe(), stages)]
    except (TrainingError, ModelError) as error:
        _tell(f"error: {error}")
        return 1
    sys.stdout.write(f"{hashes(files)}\n{stages.summary}\n")
    return 0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _loaded(file: Path) -> Pack | ClaimsPack:
    """A pack of either kind: they hold other arrays."""
    try:
        try:
            return Pack.load(file)
        except KeyError:
            return ClaimsPack.load(file)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise TrainingError(f"{file}: not a pack ({error}): write one with `python -m eval train --only-pack {file}`") from error


if __name__ == "__main__":
    sys.exit(main())
