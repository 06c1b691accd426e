"""`python -m eval.reading PACK OUT`: trains from a pack where no library is, on a machine with a GPU, say.

`python -m eval train --only-pack PACK` writes the pack. Besides this repository it needs torch,
transformers and safetensors, what `assistant` and `index` import (numpy, filelock, platformdirs,
pydantic-settings), and the embedding model: its package, or a folder of it named with --base.
"""

from __future__ import annotations

import argparse
import sys

from eval.reading.elsewhere import train_elsewhere
from eval.reading.examples import Pack
from eval.reading.pipeline import run


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m eval.reading", description="Train encoder, reader and matcher from a pack.")
    return train_elsewhere(parser, arguments, "python -m eval train --only-pack", Pack.load, run)


if __name__ == "__main__":
    sys.exit(main())
