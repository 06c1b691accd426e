"""`python -m assistant`."""

from assistant.cli.app import app

app(prog_name="assistant")
