"""Write the pages of the reference that follow from the code: the command line and the errors.

    python scripts/make_reference.py            # write docs/reference/cli.md and errors.md
    python scripts/make_reference.py --check    # exit 1 if they are not current

Help texts come from the verbs themselves, run with a fixed width; the meaning of a code is the
comment beside it in ``ilk.core.errors``. So neither page can say what the code does not.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
WIDTH = "100"

CLI_HEAD = """\
# The command line

Made by `make docs` from the verbs' own help.

Every verb takes `--json` (exactly one JSON object, on one line, on stdout; progress and notes go to stderr)
and `--debug` (a traceback for a bug report). Exit codes:

| code | means |
|---|---|
| 0 | ok |
| 1 | the answer is no: `verify` found a file that is not sealed by you or by a key you trust |
| 2 | the input is wrong |
| 3 | something is missing on this machine: an extra, a device, disk space |
| 4 | a bug in ilk |

An error is one sentence on stderr that ends in its [code](errors.md). Completion for your shell:
`ilk --install-completion`.
"""

ERRORS_HEAD = """\
# Errors

Made by `make docs` from `ilk.core.errors`.

Every error that ilk raises on purpose is an `ilk.IlkError` with a `sentence` for a person, a `code` for a
script and an `exit_code` for a shell. `ilk.InputError` is also a `ValueError`. A code never changes its meaning.

```text
{tree}
```

| code | exit | means |
|---|---|---|
"""

EXITS = {"INPUT": 2, "FOLDER": 2, "MACHINE": 3, "BUG": 4}


def main() -> int:
    """Write the pages, or say which are not current."""
    pages = {REFERENCE / "cli.md": cli_page(), REFERENCE / "errors.md": errors_page()}
    if "--check" not in sys.argv[1:]:
        for path, text in pages.items():
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
        return 0
    stale = False
    for path, text in pages.items():
        old = path.read_text() if path.exists() else ""
        if old != text:
            stale = True
            print(f"{path.relative_to(ROOT)} is not current; run: make docs")
            print("\n".join(list(difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm="", n=0))[:20]))
    return int(stale)


def cli_page() -> str:
    """One section a verb, with the help of its commands."""
    from ilk.cli import VERBS

    parts = [CLI_HEAD, _section("ilk", [["--help"]])]
    for verb in VERBS:
        commands = _commands(verb)
        words = [[verb, "--help"], *([verb, command, "--help"] for command in commands)]
        parts.append(_section(f"ilk {verb}", words))
    return "\n".join(parts)


def errors_page() -> str:
    """The tree, and a row a code."""
    source = (ROOT / "src" / "ilk" / "core" / "errors.py").read_text()
    tree = re.search(r"^ {4}IlkError.*?(?=\n\n)", source, re.S | re.M)
    rows = re.findall(r'^    [A-Z_]+ = "(ILK-([A-Z]+)-\d{3})"  # (.+)$', source, re.M)
    if tree is None or not rows:
        raise SystemExit("src/ilk/core/errors.py no longer reads as this script expects.")
    drawn = "\n".join(line.removeprefix("    ") for line in tree[0].splitlines())
    body = "\n".join(f"| `{code}` | {EXITS[family]} | {means} |" for code, family, means in rows)
    return ERRORS_HEAD.format(tree=drawn) + body + "\n"


def _section(title: str, runs: list[list[str]]) -> str:
    return f"## {title}\n\n" + "\n".join(f"```text\n$ ilk {' '.join(words)}\n{_help(words)}\n```\n" for words in runs)


def _help(words: list[str]) -> str:
    from ilk.cli import main as ilk

    os.environ |= {"COLUMNS": WIDTH, "TERM": "dumb", "NO_COLOR": "1"}
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        ilk(words)
    return "\n".join(line.rstrip() for line in out.getvalue().strip().splitlines())


def _commands(verb: str) -> list[str]:
    """The commands of a verb that has some, in the order of its help."""
    help_text = _help([verb, "--help"])
    if "─ Commands ─" not in help_text:
        return []
    box = help_text.split("─ Commands ─", 1)[1].split("╰", 1)[0]
    return re.findall(r"^│ ([a-z][a-z-]*) ", box, re.M)


if __name__ == "__main__":
    sys.exit(main())
