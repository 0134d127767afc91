"""``console`` blocks of the documentation, run as they stand.

A line ``$ ilk ...`` is executed by ``ilk.cli.main`` in the working folder of its document; a
backslash at the end continues it. Exit code 0 is expected, or N where the line ends in ``# exit N``.
Lines below a command are what it prints: each must be found among the printed lines, ``...`` standing
for anything. Any other command is refused, so that no example goes untested: what should not be run
is fenced as ``sh``.

A block fenced as ``python title="NAME.py"`` is a file: it is written there, for later blocks to import.
"""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from sybil import Document, Example, Region
from sybil.parsers.markdown import CodeBlockParser
from sybil.parsers.markdown.lexers import FencedCodeBlockLexer

PROMPT = "$ "


class ConsoleBlockParser(CodeBlockParser):
    """Finds the blocks; runs one command after the other."""

    language = "console"

    def evaluate(self, example: Example) -> str | None:
        """Run a block; what went wrong comes back in words."""
        for command, expected in commands(str(example.parsed)):
            if problem := run(command, expected):
                return problem
        return None


class FileBlockParser:
    """Finds blocks that are whole files, and writes them into the working folder of their document."""

    def __init__(self) -> None:
        self._lexer = FencedCodeBlockLexer(
            language=r'python title="[^"]+"', mapping={"language": "title", "source": "source"}
        )

    def __call__(self, document: Document) -> Iterator[Region]:
        for region in self._lexer(document):
            region.parsed = region.lexemes["title"].split('"')[1], region.lexemes["source"]
            region.evaluator = self.evaluate
            yield region

    def evaluate(self, example: Example) -> None:
        """Write the file."""
        name, source = example.parsed
        Path(name).write_text(source)


def commands(block: str) -> Iterator[tuple[str, list[str]]]:
    """(command, lines that it should print) of a block."""
    command, expected = "", []
    for line in block.replace("\\\n", " ").splitlines():
        if line.startswith(PROMPT):
            if command:
                yield command, expected
            command, expected = line.removeprefix(PROMPT), []
        elif command and line.strip():
            expected.append(line.strip())
    if command:
        yield command, expected


def run(command: str, expected: list[str]) -> str | None:
    """Run ``ilk ...``; None where all is as the document says."""
    from ilk.cli import main

    found = re.search(r"#\s*exit (\d)", command)
    code = int(found[1]) if found else 0
    words = shlex.split(command, comments=True)
    if words[0] != "ilk":
        return f"Only ilk is run in a console block, not {words[0]!r}; fence it as sh."
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        got = main(words[1:])
    printed = out.getvalue() + err.getvalue()
    if got != code:
        return f"$ {command}\nexit code {got} instead of {code}; it printed:\n{printed}"
    lines = [line.strip() for line in printed.splitlines()]
    for line in expected:
        if not any(_pattern(line).fullmatch(each) for each in lines):
            return f"$ {command}\nno line is like {line!r}; it printed:\n{printed}"
    return None


def _pattern(line: str) -> re.Pattern[str]:
    """``...`` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in line.split("...")))
