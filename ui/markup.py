"""Text that is not ours as HTML that says just that. Pure functions; knows nothing of what is shown.

No line break is ever written, since the page's Markdown reader leaves an HTML block alone only up to the first blank line.
"""

from __future__ import annotations

from assistant.sanitize import visible

_SIGNS = {sign: f"&#{ord(sign)};" for sign in "&<>\"'*_`~$\\|#[]!"}
_ESCAPES = str.maketrans({"\r": None, "\n": "<br>"} | _SIGNS)
_IN_LINE = str.maketrans({"\r": None, "\n": "&#10;"} | _SIGNS)


def escape(text: str) -> str:
    """Text that no reader of HTML or Markdown takes for anything else, without what cannot be seen; lines stay lines."""
    return visible(text).translate(_ESCAPES)


def copies(label: str, text: str) -> str:
    """A button that copies a text, which stands hidden behind it (see `page.js`): Gradio's chat lets no attribute through."""
    return _does("pa-copy", label, text)


def asks(label: str, question: str) -> str:
    """A button that puts a question into the box."""
    return _does("pa-ask", label, question)


def acts(what: str, label: str) -> str:
    """A button that the page does something at once by (see `page.js`); what is hidden behind it is what it asks."""
    return _does(f"pa-act pa-{what}", label, label)


def follows(question: str) -> str:
    """A button that asks this at once."""
    return _does("pa-act pa-follow", question, question)


def _does(what: str, label: str, text: str) -> str:
    hidden = visible(text).translate(_IN_LINE)
    return f'<button type="button" class="pa-do {what}">{escape(label)}</button><span class="pa-hidden">{hidden}</span>'
