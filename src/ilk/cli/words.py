"""Loose words of a command line: sources, a kind's own flags, and ``--given`` pairs.

No verb spells a kind's flag. What cyclopts does not know comes here as words; the kind's options
record converts or refuses them later.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ilk.core.errors import Code, InputError


def split_words(words: Sequence[str]) -> tuple[list[str], dict[str, Any]]:
    """Positional words and ``--name value`` or ``--name=value`` pairs; a name that is repeated has all its values.

    >>> split_words(["photos/", "--fit", "pad", "--resolution=64"])
    (['photos/'], {'fit': 'pad', 'resolution': '64'})

    Raises:
        InputError: a flag without a value.
    """
    positional: list[str] = []
    flags: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") or word == "--":
            if word.startswith("-") and len(word) > 1:
                raise InputError(Code.OPTION, f'"{word}" is no flag of this verb; --help lists them.')
            positional += [] if word == "--" else [word]
            continue
        name, equals, value = word[2:].partition("=")
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise InputError(Code.OPTION, f"--{name} is no flag of this verb, or its value is missing.")
            value = rest.pop(0)
        before = flags.get(name)
        flags[name] = value if before is None else [*(before if isinstance(before, list) else [before]), value]
    return positional, flags


def pairs(values: Sequence[str]) -> dict[str, str]:
    """``NAME=VALUE`` words as a mapping.

    Raises:
        InputError: a word without ``=``.
    """
    out: dict[str, str] = {}
    for word in values:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputError(Code.GIVEN, f'--given takes NAME=VALUE, not "{word}".')
        out[name] = value
    return out


def one(words: Sequence[str], what: str) -> str:
    """The single positional word.

    Raises:
        InputError: there is none, or more than one.
    """
    if len(words) != 1:
        raise InputError(Code.OPTION, f"{what} is missing." if not words else f"Give one {what}, not {len(words)}.")
    return words[0]
