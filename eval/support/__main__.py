"""`python -m eval.support PACK OUT`: trains the check from a pack where no listings are, on a machine with a GPU, say.

`python -m eval train --only check --only-pack PACK` writes the pack. It needs what `python -m eval.reading` does.
"""

from __future__ import annotations

import argparse
import sys

from eval.reading.elsewhere import train_elsewhere
from eval.support.examples import Pack
from eval.support.train import Recipe, train_check


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.support", description="Train the check of sentences from a pack.")
    written_by = "python -m eval train --only check --only-pack"
    return train_elsewhere(parser, arguments, written_by, Pack.load, lambda pack, plan, stages: [train_check(pack, plan, Recipe(), stages)])


if __name__ == "__main__":
    sys.exit(main())
