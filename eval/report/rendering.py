"""Fills the templates in this folder: HTML, with all that is untrusted escaped, and Markdown, with all of it made plain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_FOLDER = Path(__file__).parent
_MARKUP = str.maketrans({**{char: f"\\{char}" for char in "\\`*_[]|#"}, "<": "&lt;", ">": "&gt;"})


def html(template: str, **given: Any) -> str:
    """A template filled with escaped values."""
    style, script = (Markup((_FOLDER / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js"))
    return _environment().get_template(template).render(style=style, script=script, **given)


def markdown(template: str, **given: Any) -> str:
    """A template filled with values that are neither markup nor the end of a table's cell."""
    return _environment(finalize=_plain).get_template(template).render(**given).rstrip() + "\n"


def _environment(**options: Any) -> Environment:
    loader = FileSystemLoader(_FOLDER)
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined, **options)


def _plain(value: object) -> Markup:
    return value if isinstance(value, Markup) else Markup(" ".join(str(value).split()).translate(_MARKUP))
