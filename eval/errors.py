"""The errors of this package. A message says what happened, where, and what to do."""


class EvalError(Exception):
    """What a user of `python -m eval` can mend. Its kinds: `QuestionSetError`, `TrainingError`, and others beside their subjects."""


class QuestionSetError(EvalError):
    """A question set cannot be read; the message names file and line."""
