"""`python -m ui`: the same as `assistant ui`."""

import sys

from assistant.cli.app import app

app(sys.argv[1:] if sys.argv[1:] == ["--version"] else ["ui", *sys.argv[1:]], prog_name="python -m")
