"""Every exception becomes one sentence and an exit code; a traceback only with --debug."""

from __future__ import annotations

import os
import sys

from ilk.cli.output import emit_json
from ilk.core.errors import Code, IlkError


def report(error: BaseException, *, as_json: bool) -> int:
    """Say what went wrong on stderr (and as JSON on stdout where that was asked for)."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 0
    if isinstance(error, BrokenPipeError):  # the reader of our output went away: that is no error
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    code, sentence, exit_code = _read(error)
    sys.stderr.write(f"ilk: {sentence} [{code}]\n")
    if as_json:
        emit_json({"error": {"code": code, "sentence": sentence}, "exit_code": exit_code})
    return exit_code


def _read(error: BaseException) -> tuple[str, str, int]:
    if isinstance(error, IlkError):
        return error.code, error.sentence, error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return str(Code.BUG), "Stopped by Ctrl-C; what was saved before is kept.", 1
    if type(error).__module__.startswith("cyclopts"):
        return str(Code.OPTION), " ".join(str(error).split()), 2
    if isinstance(error, OSError) and error.errno == 28:
        return str(Code.DISK_FULL), "The disk is full; what was saved before is kept.", 3
    if isinstance(error, MemoryError):
        return str(Code.DEVICE), "There is not enough memory; try a smaller --size or --resolution.", 3
    says = " ".join(str(error).split()) or "no message"
    return str(Code.BUG), f"A bug in ilk ({type(error).__name__}: {says}); run it with --debug and report it.", 4
