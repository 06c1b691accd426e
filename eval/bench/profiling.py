"""Where the time goes: of warm searches and answers by function, of a cold `assistant ask` by module imported."""

from __future__ import annotations

import cProfile
import pstats
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from assistant import Assistant
from eval.bench import commands
from eval.bench.figures import Part, Row
from eval.bench.plan import Plan

_SHOWN = 8
"""Of each, the costliest."""
_BUILT_IN = re.compile(r"^<(?:built-in )?method '?([\w.]+)")
_ROOT = Path(__file__).parents[2]


def measure(plan: Plan) -> Part:
    """Every question searched, then answered; one cold start."""
    with closing(Assistant(plan.home, "extractive")) as assistant:
        assistant.answer(plan.questions[0])
        searched = _profiled("search", assistant.search, plan.questions)
        answered = _profiled("answer", assistant.answer, plan.questions)
    asked = commands.python("-X", "importtime", "-m", "assistant", "ask", plan.questions[0], "--home", str(plan.home))
    return Part(
        "profile",
        "Where the time goes",
        {"questions": len(plan.questions)},
        rows=(*searched, *answered, *imports(asked.errors)),
        notes=(
            "Own processor time of functions, without what they call, under a profiler, which slows many short calls more than few long "
            "ones; modules by the clock.",
        ),
    )


def imports(told: str) -> list[Row]:
    """The modules that took longest themselves, from what `python -X importtime` wrote."""
    took = []
    for line in told.splitlines():
        if line.startswith("import time:") and (fields := line.removeprefix("import time:").split("|"))[0].strip().isdigit():
            took.append((int(fields[0]) / 1000.0, fields[2].strip()))
    costliest = sorted(took, reverse=True)[:_SHOWN]
    return [
        Row("cold ask: all modules imported", sum(each for each, _ in took), "ms"),
        *(Row(f"cold ask: import {name}", each, "ms") for each, name in costliest),
    ]


def _profiled(name: str, call: Callable[[str], object], questions: Sequence[str]) -> list[Row]:
    """Milliseconds a question, by function."""
    profile = cProfile.Profile(time.process_time)
    with profile:
        for question in questions:
            call(question)
    found = pstats.Stats(profile).get_stats_profile()
    each = [(one.tottime, f"{_called(function)} ({_where(one.file_name)})") for function, one in found.func_profiles.items()]
    costliest = sorted(each, reverse=True)[:_SHOWN]
    return [Row(f"{name}: {function}", 1000 * took / len(questions), "ms") for took, function in costliest if took]


def _called(function: str) -> str:
    """A function's name; of one built in, without what Python writes around it."""
    found = _BUILT_IN.search(function)
    return found[1] if found else function


def _where(file: str) -> str:
    path = Path(file)
    if path.is_relative_to(_ROOT):
        return str(path.relative_to(_ROOT))
    return "/".join(path.parts[-2:]) if path.is_absolute() else "built in"
