"""Parts what a model says from what it thinks, and from the tokens of its chat template.

Goes in: a stream of text, cut anywhere. Comes out: what was said. Models mark their thoughts by tags
(`<think>`, `[THINK]`, `◁think▷`), by channels (`<|channel|>analysis`), by special tokens, or in plain words; some
close a thought that their prompt has opened, some never close one. What is ambiguous counts as a thought. What was
said in the end does not depend on where the stream was cut. Knows nothing of papers.
"""

from __future__ import annotations

import re

_THINKS = r"(?:think|thought|reason|reflect|scratch|monolog|deliberat|analysis|rationale|ponder)"
_THOUGHT_NAME = rf"(?:[\w:.-]{{0,24}}{_THINKS}[\w:.-]{{0,24}}|cot|plan(?:ning)?)"
_TOOL_NAME = r"(?:[\w:.-]{0,12}(?:tool|function)[\w:.=-]{0,40}|invoke|parameter)"
_ANSWER_NAME = r"(?:final[_ -]?)?(?:answer|response|output|final|solution)"
_TAG = re.compile(
    rf"(?P<tag></?(?:{_THOUGHT_NAME}|details|{_TOOL_NAME}|{_ANSWER_NAME})(?:\s[^<>\n]{{0,120}})?/?>)"
    r"|(?P<square>\[/?(?:think(?:ing)?|thoughts?|reason(?:ing)?|reflection|analysis|tool_calls?|tool_results?)\])"
    r"|(?P<special>◁/?[\w ]{1,24}▷|<[|｜][^<>|｜\n]{1,60}[|｜]>|<\|\w{1,24}>|<\w{1,24}\|>|<unused\d{1,4}>)"
    r"|(?P<template></?s>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|<[be]os>)",
    re.IGNORECASE,
)
_HALF_TAG = re.compile(r"(?:<(?:[/|｜\w<][^<>\n]{0,170})?|<</?(?:S?Y?S?>?)?|◁[^▷\n]{0,25}|\[/?[A-Za-z_]{0,14})$")
_UNUSED = {"<unused94>": True, "<unused95>": False}
"""The tokens between which MedGemma thinks."""
_ROLE = re.compile(r"\s*(?:assistant|model|user|system|tool|developer)?[ \t]*", re.IGNORECASE)
_LONGEST_HEADER = 40
_MARKER = re.compile(r"[\[［【(]\s*\^?(?:source\s*)?\d", re.IGNORECASE)
_LONGEST_PREAMBLE = 300
_LONGEST_LINE = 400
_LONGEST_MENTION = 40
"""Characters between an opening tag and a closing one, up to which a sentence may be naming both."""

# Thoughts whose tokens were lost on the way, or that never had any
_BARE_CHANNEL = re.compile(r"\A\s*(?:assistant)?(?:analysis|commentary)(?:\n|(?=[A-Z\"“]))")
_BARE_FINAL = re.compile(r"assistant\s?final(?=[^a-z]|\Z)|\A\s*final(?:\n|(?=[A-Z\"“]))")
_LABELLED = re.compile(
    r"\A\W{0,6}(?:(?:my |the )?(?:thoughts?|thinking(?: process)?|reasoning(?: process)?|chain[- ]of[- ]thought|scratchpad)"
    r"\W{0,4}(?::|\n)|thinking\.\.\.)",
    re.IGNORECASE,
)
_ANSWER_LABEL = re.compile(
    r"^\W{0,6}(?:(?:my |the )?(?:final |short )?(?:answer|response|output)[*_ ]{0,4}(?::[*_]{0,4}|$)|(?:\.\.\.)?done thinking\.?[*_]{0,3})",
    re.IGNORECASE | re.MULTILINE,
)


_BLOCK = re.compile(
    r"\A\s*(?:```\s*(?:think|thought|reason|analysis)\w*\n.*?\n```[ \t]*\n?|>\W*(?:thinking|thoughts?|reasoning)\b[^\n]*\n(?:>[^\n]*\n)*)",
    re.IGNORECASE | re.DOTALL,
)
"""Thoughts as a block of code or a quote, before an answer."""
_OTHER_ANGLES = re.compile(rf"(?:[⟨＜‹]|&lt;)(/?{_THOUGHT_NAME})(?:[⟩＞›]|&gt;)", re.IGNORECASE)


class Thoughts:
    """One stream, parted."""

    def __init__(self) -> None:
        self.said = ""
        """All text so far but thoughts."""
        self.thought = False
        """Whether any of it was a thought."""
        self.tool = False
        """Whether it called a tool in its text."""
        self.restarts = 0
        """How often what was said turned out to be a thought, and was thrown away."""
        self._pending = ""
        self._depth = 0
        self._channel = False
        """Whether the channel is one for thoughts."""
        self._in_tool = False
        self._over = False
        self._after_close: str | None = None
        """What came after the last closing tag, while tags are still open."""
        self._header: str | None = None
        """What came since a token after which a role or a channel is named."""
        self._names_channel = False
        self._is_format = False

    def push(self, delta: str) -> None:
        """Takes a piece; what may become a tag waits for the next."""
        self._pending += delta
        while tag := self._next_tag():
            before, self._pending = self._pending[: tag.start()], self._pending[tag.end() :]
            self._take(before)
            self._at(tag)
        half = _HALF_TAG.search(self._pending)
        place = half.start() if half else len(self._pending)
        ready, self._pending = self._pending[:place], self._pending[place:]
        self._take(ready)

    def finish(self) -> str:
        """All that was said, now that the stream has ended."""
        self._take(self._pending)
        self._pending = ""
        self._end_header(ended=True)
        if self._depth and self._after_close and self._after_close.strip():  # a tag was only mentioned in a thought
            self._depth = 0
            self._say(self._after_close)
        self.said = self._without_bare_thoughts(self.said).strip()
        if _OTHER_ANGLES.search(self.said):
            parted = Thoughts()
            parted.push(_OTHER_ANGLES.sub(r"<\1>", self.said))
            self.said, self.thought = parted.finish(), True
        return self.said

    def _next_tag(self) -> re.Match[str] | None:
        """The first whole tag that is more than mentioned."""
        return next((tag for tag in _TAG.finditer(self._pending) if not self._is_mentioned(tag)), None)

    def _is_mentioned(self, tag: re.Match[str]) -> bool:
        """Whether a tag is a word of what is said: in quotes, or a word of its own within a sentence, where no thought begins."""
        if (tag["tag"] or tag["square"]) is None or self._depth or self._channel or self._in_tool or self._header is not None:
            return False
        line = (self.said[-_LONGEST_LINE:] + self._pending[: tag.start()]).rpartition("\n")[2]
        if line[-1:] in {"`", '"', "“", "'", "‘"}:
            return True
        if tag[0][1] == "/":
            return any(each[0][1] != "/" for each in _TAG.finditer(line[-_LONGEST_MENTION:]))
        return len(line.split()) >= 2 and line[-1:].isspace() and line.rstrip()[-1:].isalnum()

    def _take(self, text: str) -> None:
        if not text:
            return
        if self._header is not None:
            self._header += text
            self._end_header()
        elif self._depth:
            if self._after_close is not None:
                self._after_close += text
        elif not (self._channel or self._in_tool or self._over):
            self._say(text)

    def _say(self, text: str) -> None:
        self.said += text if self.said else text.lstrip()

    def _at(self, tag: re.Match[str]) -> None:
        text = tag[0].casefold()
        if tag["tag"] is not None or tag["square"] is not None:
            self._at_named(text.strip("<>[]").strip("/").split(maxsplit=1)[0], closes=text[1] == "/", alone=text.endswith("/>"))
        elif text in _UNUSED:
            self._at_named("thought", closes=not _UNUSED[text])
        elif tag["special"] is not None:
            self._at_special(re.sub(r"[^\w/]+|▁", "_", text.strip("<>|｜◁▷").strip()), text)
        elif text.startswith(("<start_of", "[inst", "<<sys", "<s>", "<bos")):
            self._begin_header(names_channel=False)
        else:
            self._end_message()

    def _at_named(self, name: str, closes: bool, alone: bool = False) -> None:
        if re.fullmatch(_ANSWER_NAME, name):
            if not closes and not self._depth and not _MARKER.search(self.said):
                self._restart()
            return
        if re.fullmatch(_TOOL_NAME, name) and not re.search(_THINKS, name):
            self.tool = True
            self._in_tool = not closes and not alone
            return
        self.thought = True
        if alone:
            return
        if not closes:
            self._depth += 1
            return
        if self._depth:
            self._depth -= 1
            self._after_close = "" if self._depth else None
            if not self._depth and len(self.said) <= _LONGEST_PREAMBLE and not _MARKER.search(self.said):
                self._restart()  # what led to the thought
        else:  # some models close a thought that their prompt has opened
            self._restart()

    def _at_special(self, name: str, text: str) -> None:
        closes = name.startswith("/") or "end" in name.split("_") or (text.endswith("|>") and not text.startswith("<|"))
        if re.search(_THINKS, name):
            self._at_named("thought", closes)
        elif "channel" in name:
            self._end_header(ended=True)
            self._channel = False
            if not closes:
                self._begin_header(names_channel=True)
        elif name in {"message", "constrain", "end_header_id"}:
            self._end_header(ended=True)
            if name == "constrain":  # what follows it names a format, up to the message
                self._begin_header(names_channel=False)
                self._is_format = True
        elif "tool" in name or "function" in name or name == "call":
            self.tool = True
            self._in_tool = not closes and name != "call"
        elif re.search(r"(?:begin|start)_of_(?:solution|answer|box)|start_response|start_text", name):
            self._restart()
        elif re.search(r"^(?:im_start|start|start_header_id|assistant|user|system)$", name):
            self._end_message()
            self._begin_header(names_channel=False)
        elif not name.startswith(("begin_of", "start_of")):
            self._end_message()

    def _restart(self) -> None:
        """What was said before is no part of the answer."""
        self.restarts += bool(self.said)
        self.said, self._over, self._depth, self._after_close = "", False, 0, None

    def _end_message(self) -> None:
        """A message of the chat ends: a thought of a channel with it, and the answer, if there is one."""
        self._end_header(ended=True)
        if self._channel or self._in_tool:
            self._channel = self._in_tool = False
        elif self.said.strip() and not self._depth:
            self._over = True

    def _begin_header(self, names_channel: bool) -> None:
        self._header, self._names_channel = "", names_channel

    def _end_header(self, ended: bool = False) -> None:
        """Reads the role or channel, as soon as it is named in full; what follows it is text."""
        if self._header is None or not (ended or "\n" in self._header or len(self._header) > _LONGEST_HEADER):
            return
        header, self._header = self._header, None
        if self._is_format:
            self._is_format = False
            return
        if not self._names_channel:
            self._take(header[_ROLE.match(header).end() :].lstrip("\n"))  # type: ignore[union-attr]  # it matches anything
            return
        name, _, rest = header.partition("\n")
        if name.split(maxsplit=1)[:1] in (["final"], ["answer"], ["response"]):
            self._restart()
        else:
            self.thought = self._channel = True
            self.tool = self.tool or "to=" in name
        self._take(rest)

    def _without_bare_thoughts(self, said: str) -> str:
        if block := _BLOCK.match(said):
            self.thought = True
            return said[block.end() :]
        finals = list(_BARE_FINAL.finditer(said))
        if _BARE_CHANNEL.match(said):
            self.thought = True
            return said[finals[-1].end() :] if finals else ""
        if finals and finals[0].start() == 0:
            return said[finals[0].end() :]
        answers = list(_ANSWER_LABEL.finditer(said)) if _LABELLED.match(said) else []
        if answers:
            self.thought = True
            return said[answers[-1].end() :]
        return said
