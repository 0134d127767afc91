"""The command line: a table of verbs, each imported only when it runs.

A verb is one small file with one function; its signature and docstring are its help. Exit codes: 0 ok,
1 the answer is no, 2 the input is wrong, 3 something is missing on this machine, 4 our own bug. The
rules about printing are in ``output.py``, those about errors in ``errors.py``.
"""

from __future__ import annotations

import sys
import time

STARTED = time.monotonic()  # --minutes counts from here: loading torch is part of the wait

VERBS = {
    "fit": ("Learn a model from examples.", "ilk fit photos/ --minutes 10"),
    "sample": ("Make new ones, each signed as synthetic.", "ilk sample photos.ilk -n 64 -o out/ --seed 7"),
    "report": ("How good is a model: real, diverse, new, useful, private?", "ilk report photos.ilk"),
    "score": ("How likely, and how real, does a model find files?", "ilk score letters.ilk more.txt"),
    "augment": ("More training data, or not: what would help a model?", "ilk augment train.csv --label income"),
    "verify": ("Where does this come from, is it unchanged?", "ilk verify out/0001.png"),
    "show": ("What a model is, what it was fitted on, how to sample it.", "ilk show photos.ilk"),
    "models": ("List the models you have; get a base; remove one.", "ilk models list"),
    "export": ("Copy a model without what is local, or only its weights.", "ilk export photos.ilk -o share.ilk"),
    "keys": ("Your signing key, and the keys you trust.", "ilk keys show"),
    "doctor": ("Check this machine, and say what is missing.", "ilk doctor"),
}
"""Verb -> (what it does, an example): what ``ilk --help`` shows without importing any verb."""


def main(argv: list[str] | None = None) -> int:
    """Run one command line; returns and exits with the exit code."""
    from ilk.cli.app import run_command

    code = run_command(sys.argv[1:] if argv is None else argv)
    if argv is None:
        sys.exit(code)
    return code
