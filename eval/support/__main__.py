"""`python -m eval.support PACK OUT`: trains the check from a pack where no listings are, on a machine with a GPU, say.

`python -m eval train --only check --only-pack PACK` writes the pack. It needs what `python -m eval.reading` does.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eval.reading.examples import TrainingError
from eval.reading.pipeline import DEVICES, Plan, Stages, chosen_device, hashes, writable
from eval.support.examples import Pack
from eval.support.train import Recipe, train_check
from index import ModelError
from index.embedding.minilm import installed, verify


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.support", description="Train the check of sentences from a pack.")
    parser.add_argument("pack", type=Path, help="what `python -m eval train --only check --only-pack` wrote")
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
        file = train_check(Pack.load(asked.pack), plan, Recipe(), stages)
    except (TrainingError, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(hashes([file]))
    print(stages.summary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
