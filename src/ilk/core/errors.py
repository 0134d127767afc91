"""Every error that ilk raises on purpose, as one tree.

    IlkError                      a sentence, a stable code, an exit code
    ├── InputError (ValueError)   2  what the user gave is wrong
    │   ├── NotFittedError        2  (also an AttributeError, as scikit-learn's)
    │   ├── UnreadableError       2  one example cannot be decoded; the reader skips and counts it
    │   └── FolderError           2  a model folder is damaged, foreign or too new
    ├── MachineError              3  something is missing on this machine: an extra, a base, disk space
    └── BugError                  4  our own mistake; anything unexpected is reported as one

A message is one sentence that says what is wrong, where, and what to do. The codes
(``ILK-INPUT-003``) are listed in :class:`Code`; they never change their meaning, so that
scripts and the documentation can rely on them. How an error is shown is the business of
``ilk.cli``; nothing here prints.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import StrEnum


class Code(StrEnum):
    """The stable codes. The text of each member's comment is its documentation."""

    SOURCE_MISSING = "ILK-INPUT-001"  # the source does not exist or is empty
    SOURCE_UNKNOWN = "ILK-INPUT-002"  # no kind, or more than one, recognises the source
    TOO_FEW = "ILK-INPUT-003"  # too few usable examples to learn from
    TOO_MANY_UNREADABLE = "ILK-INPUT-004"  # more than 1 % of the examples cannot be read
    UNREADABLE = "ILK-INPUT-005"  # one file cannot be read
    NO_VARIETY = "ILK-INPUT-006"  # all examples are the same
    OPTION = "ILK-INPUT-007"  # an unknown option, or a value that an option does not take
    GIVEN = "ILK-INPUT-008"  # an unknown condition, or a value that the data never had
    COUNT = "ILK-INPUT-009"  # a number of samples, minutes or steps out of range
    EXISTS = "ILK-INPUT-010"  # an output exists and would be overwritten
    OUTPUT = "ILK-INPUT-011"  # the output cannot be written there, or its format is unknown
    NOT_FITTED = "ILK-INPUT-012"  # the model has not been fitted
    MODEL_MISSING = "ILK-INPUT-013"  # there is no model folder of that name
    RESUME = "ILK-INPUT-014"  # the model cannot be resumed
    RECALL = "ILK-INPUT-015"  # the file does not say how it was made
    KEY = "ILK-INPUT-016"  # a key or trust file is wrong
    ASSET_UNKNOWN = "ILK-INPUT-017"  # there is no asset of that name
    SOURCE_CHANGED = "ILK-INPUT-018"  # the data are not (or no longer) those that the model was fitted on
    FOLDER_DAMAGED = "ILK-FOLDER-001"  # a model folder's files do not match its ilk.json
    FOLDER_NEWER = "ILK-FOLDER-002"  # the folder was written by a newer ilk
    FOLDER_UNSAFE = "ILK-FOLDER-003"  # a file in the folder is not what it must be
    FOLDER_BUSY = "ILK-FOLDER-004"  # another process is writing the folder
    EXTRA_MISSING = "ILK-MACHINE-001"  # a Python package of an extra is not installed
    DISK_FULL = "ILK-MACHINE-002"  # the disk is full
    DEVICE = "ILK-MACHINE-003"  # the device is not available
    HOME = "ILK-MACHINE-004"  # the user's ilk folder cannot be written or is not private
    ASSET = "ILK-MACHINE-005"  # a pretrained asset is missing or its hash is wrong
    BUG = "ILK-BUG-001"  # something went wrong that is ilk's own fault


class IlkError(Exception):
    """One sentence for a person, a code for a script, an exit code for a shell."""

    exit_code = 4

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = str(code)
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[IlkError], tuple[str, str]]:
        return type(self), (self.code, self.sentence)


class InputError(IlkError, ValueError):
    """What the user gave is wrong (exit code 2)."""

    exit_code = 2


class NotFittedError(InputError, AttributeError):
    """The model was asked for something before it was fitted."""


class UnreadableError(InputError):
    """One example cannot be decoded. Readers and codecs raise it; the caller skips and counts."""


class FolderError(InputError):
    """A model folder is damaged, unsafe, busy or too new."""


class MachineError(IlkError):
    """Something is missing on this machine (exit code 3)."""

    exit_code = 3


class BugError(IlkError):
    """Our own mistake (exit code 4)."""

    exit_code = 4


def suggest(word: str, known: Iterable[str]) -> str:
    """The tail of a sentence about an unknown word: a suggestion, and what is known.

    >>> suggest("resolutoin", ["resolution", "fit"])
    'did you mean "resolution"? (known: resolution, fit)'
    """
    names = list(known)
    if not names:
        return "there are none here"
    listed = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    folded = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), list(folded), n=1, cutoff=0.5)
    return f'did you mean "{folded[close[0]]}"? (known: {listed})' if close else f"known: {listed}"
