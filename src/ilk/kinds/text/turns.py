r"""From the turns of a conversation to one text, and which of it is to be learned: the answers.

The template is ChatML, ``<|im_start|>role\ncontent<|im_end|>\n``, as SmolLM2 and many others have it. Its signs are
marked (``Passage.marks``): only what the template put there becomes a control token, never the same letters in what
somebody wrote.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ilk.kinds.text.passage import Passage

OPEN, CLOSE = "<|im_start|>", "<|im_end|>"
ANSWER = "assistant"


def conversation(messages: Sequence[tuple[str, str]]) -> Passage:
    """The text of (role, content) pairs; the loss of an answer counts, its ``<|im_end|>`` included.

    What ends the last turn also ends the text: no line break comes after it.
    """
    text, marks, learn = "", [], []
    for role, content in messages:
        text = f"{text}\n" if text else ""
        marks.append((len(text), len(text) + len(OPEN)))
        text += f"{OPEN}{role}\n"
        start = len(text)
        text += content + CLOSE
        marks.append((len(text) - len(CLOSE), len(text)))
        if role == ANSWER:
            learn.append((start, len(text)))
    return Passage(text, learn=tuple(learn), marks=tuple(marks))


def question(text: str) -> Passage:
    """The beginning of a conversation in which an answer comes next."""
    asked = conversation([("user", text)])
    begun = f"{asked}\n{OPEN}{ANSWER}\n"
    sign = len(asked) + 1
    return Passage(begun, ends=False, learn=(), marks=(*asked.marks, (sign, sign + len(OPEN))))


def answered(prompt: str, completion: str) -> Passage:
    """A prompt and what comes after it, as they are: the loss of the completion counts."""
    return Passage(prompt + completion, learn=((len(prompt), len(prompt) + len(completion)),))


def of_messages(messages: Any) -> Passage | str:
    """A list of ``{"role": ..., "content": ...}`` as a conversation, or why it is none, in a few words."""
    if not isinstance(messages, list) or not messages:
        return "its messages are no list of turns"
    turns = []
    for message in messages:
        known = isinstance(message, Mapping)
        role, content = (message.get("role"), message.get("content")) if known else (None, None)
        if not isinstance(role, str) or not isinstance(content, str) or not role or "\n" in role or "<|" in role:
            return "one of its messages has no role and content"
        turns.append((role, content))
    if all(role != ANSWER for role, _ in turns):
        return f"none of its messages is an answer ({ANSWER})"
    return conversation(turns)
