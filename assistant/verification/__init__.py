"""Whether papers support what is said of them, sentence by sentence. Importing this loads no model."""

from __future__ import annotations

from assistant.verification.checker import Checker, Support, Text, Verdict, Verifier, shipped

__all__ = ["Checker", "Support", "Text", "Verdict", "Verifier", "shipped"]
