"""A script for torchrun: fit throws as one of several ranks, each told a folder of its own to write to."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path

import ilk
from ilk.core.registry import get_engine


def tell_threads() -> None:
    """The names of the threads that are alive when all else is done, where the system lists them."""
    tasks = Path("/proc/self/task")
    sys.stdout.write(" ".join(task.joinpath("comm").read_text().strip() for task in tasks.glob("*")) + "\n")


if __name__ == "__main__":
    atexit.register(tell_threads)  # first in, last out
    source, out, batch = sys.argv[1:]
    rank = os.environ.get("RANK", "0")
    engine = get_engine("faces")(batch=int(batch))
    model = ilk.Generator(kind="dice", engine=engine, steps=40, threads=1, device="cpu")
    model.fit(source, save_to=Path(out, f"rank{rank}.ilk"))
