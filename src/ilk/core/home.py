"""Where ilk keeps what belongs to the user and not to a model: keys, ledger, cache, the machine's probe.

``ILK_HOME`` names the folder; without it, the platform's own place for user data. Nothing that a
model needs lies here: a model folder can be moved to another machine.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import platformdirs

from ilk.core.errors import Code, MachineError


def ilk_home() -> Path:
    """The user's ilk folder; it may not exist yet."""
    named = os.environ.get("ILK_HOME")
    return Path(named).expanduser() if named else Path(platformdirs.user_data_dir("ilk", appauthor=False))


def make_folder(path: Path) -> Path:
    """Make a folder below the home, private to the user.

    Raises:
        MachineError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        sentence = f"{path} cannot be made ({error.strerror}); set ILK_HOME to a folder that you can write."
        raise MachineError(Code.HOME, sentence) from None
    return path


def write_atomic(path: Path, data: bytes) -> None:
    """Write a whole file or leave the old one: a reader never sees half of it."""
    with write_through(path) as file:
        file.write(data)


@contextmanager
def write_through(path: Path) -> Iterator[BinaryIO]:
    """A file to write (and read back), which appears under its name, whole, when the ``with`` ends well.

    It gets the user's usual permissions; a secret is not written by this.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o666 & ~usual_mask())  # mkstemp's 0600 is for secrets
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def usual_mask() -> int:
    """The umask; there is no way to read it but to set it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
