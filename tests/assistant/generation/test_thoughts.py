"""Thoughts, in any dress and however the stream is cut, are no part of what is said."""

from __future__ import annotations

import pytest

from assistant.generation.thoughts import Thoughts

SAID = "Gull reads a coast in one pass [1]. It is quick [2]."
MUSED = "The user asks about gulls; source 3 may help [3]."


def parted(text: str, size: int = 10_000) -> Thoughts:
    thoughts = Thoughts()
    for start in range(0, len(text), size):
        thoughts.push(text[start : start + size])
    thoughts.finish()
    return thoughts


DRESSED = {
    "think": f"<think>\n{MUSED}\n</think>\n\n{SAID}",
    "thinking with an attribute": f'<thinking time="3">{MUSED}</thinking>{SAID}',
    "reasoning": f"<reasoning>{MUSED}</reasoning>{SAID}",
    "thought": f"<thought>{MUSED}</thought>{SAID}",
    "a name of its own": f"<inner_thoughts>{MUSED}</inner_thoughts>{SAID}",
    "a namespace": f"<seed:think>{MUSED}</seed:think>{SAID}",
    "square": f"[THINK]{MUSED}[/THINK]{SAID}",
    "triangles": f"◁think▷{MUSED}◁/think▷{SAID}",
    "nested": f"<think>plan <think>inner</think> still thinking [3]</think>{SAID}",
    "a tag that a thought mentions": f"<think>I could use a <think> tag. {MUSED}</think>{SAID}",
    "closed, never opened": f"Okay. {MUSED}\n</think>\n\n{SAID}",
    "opened after the answer, never closed": f"{SAID}<think>Enough?",
    "after a preamble": f"Let me think. <think>{MUSED}</think>{SAID}",
    "after half a sentence": f"Let me think <think>{MUSED}</think>{SAID}",
    "with the answer tagged": f"<think>{MUSED}</think>\n<answer>{SAID}</answer>",
    "reflection and output": f"<reflection>{MUSED}</reflection><output>{SAID}</output>",
    "harmony": f"<|channel|>analysis<|message|>{MUSED}<|end|><|start|>assistant<|channel|>final<|message|>{SAID}<|return|>",
    "harmony without a final channel": f"<|channel|>analysis<|message|>{MUSED}<|end|>{SAID}",
    "harmony with commentary": f"<|channel|>commentary<|message|>{MUSED}<|end|><|start|>assistant<|channel|>final<|message|>{SAID}",
    "harmony without its tokens": f"analysis{MUSED}assistantfinal{SAID}",
    "a channel closed by its token": f"<|channel>thought\n{MUSED}<channel|>{SAID}",
    "tokens that begin and end": f"<|begin_of_thought|>{MUSED}<|end_of_thought|>\n<|begin_of_solution|>{SAID}<|end_of_solution|>",
    "tokens in capitals": f"<|START_THINKING|>{MUSED}<|END_THINKING|><|START_RESPONSE|>{SAID}<|END_RESPONSE|>",
    "tokens of other bars": f"<｜begin▁of▁thinking｜>{MUSED}<｜end▁of▁thinking｜>{SAID}<｜end▁of▁sentence｜>",
    "unused tokens": f"<unused94>thought\n{MUSED}<unused95>{SAID}",
    "details": f'<details type="reasoning" done="true"><summary>Thought for 3 s</summary>{MUSED}</details>\n{SAID}',
    "labels": f"**Thought:** {MUSED}\n\n**Final Answer:** {SAID}",
    "a terminal's": f"Thinking...\n{MUSED}\n...done thinking.\n\n{SAID}",
    "emphasised": f"*Thinking...*\n\n{MUSED}\n\n*Done thinking.*\n\n{SAID}",
    "a block of code": f"```thinking\n{MUSED}\n```\n{SAID}",
    "a quote": f"> Thinking...\n> {MUSED}\n\n{SAID}",
    "escaped": f"&lt;think&gt;{MUSED}&lt;/think&gt;{SAID}",
    "other angles": f"⟨think⟩{MUSED}⟨/think⟩＜reasoning＞{MUSED}＜/reasoning＞{SAID}",
    "harmony with a format": f"<|channel|>analysis<|message|>{MUSED}<|end|><|channel|>final<|constrain|>text<|message|>{SAID}<|return|>",
    "a turn of a template": f"<|im_start|>assistant\n{SAID}<|im_end|>\n<|im_start|>user\nAnd?",
    "a header": f"<|start_header_id|>assistant<|end_header_id|>\n\n{SAID}<|eot_id|>",
}


@pytest.mark.parametrize("size", [1, 2, 5, 10_000])
@pytest.mark.parametrize("text", DRESSED.values(), ids=DRESSED)
def test_only_the_answer_is_said(text: str, size: int) -> None:
    assert parted(text, size).said == SAID


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{MUSED} {SAID}",
        f"<|channel|>analysis<|message|>{MUSED}",
        f"analysis{MUSED}",
        f"◁think▷{MUSED}",
        f"<|START_THINKING|>{MUSED}",
        f"{MUSED}</think>",
    ],
)
def test_a_thought_that_is_all_leaves_nothing(text: str) -> None:
    thoughts = parted(text, 3)
    assert (thoughts.said, thoughts.thought) == ("", True)


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "search"}\n</tool_call>',
        "<|start|>assistant<|channel|>commentary to=functions.search <|constrain|>json<|message|>{}<|call|>",
        "<｜tool▁calls▁begin｜>search<｜tool▁calls▁end｜>",
        "<function=search>{}</function>",
        '[TOOL_CALLS][{"name": "search"}]',
    ],
)
def test_a_call_of_a_tool_says_nothing(text: str) -> None:
    thoughts = parted(text, 4)
    assert thoughts.tool and not thoughts.said.strip("[]{}").removeprefix('{"name": "search"')


@pytest.mark.parametrize(
    "text",
    [
        "Models emit `<think>` tags before they answer [1]. They close them [1].",
        "The tags <think> and </think> mark a thought [1].",
        "It holds for p < 0.05 and a<b, <x> and [y] [1].",
        "A reasoning model thinks in steps [1]. Its thoughts: none are shown [2].",
        "Final results are better [1].",
        "Analysis of variance shows no effect [1].",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_words_about_thoughts_stay(text: str, size: int) -> None:
    assert parted(text, size).said == text


def test_what_stands_between_two_thoughts_is_said() -> None:
    text = parted("<think>a</think>Gull reads a coast [1]. <think>b</think>It is quick [2].").said
    assert text == "Gull reads a coast [1]. It is quick [2]."
