"""`python -m eval`: the same as `assistant eval`."""

import sys

if sys.argv[1:] == ["--version"]:
    from assistant.cli.app import app
else:
    from eval.cli import app

app(prog_name="python -m eval")
