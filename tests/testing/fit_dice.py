"""A script for torchrun: fit throws as one of several ranks, each told a folder of its own to write to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import ilk
from ilk.core.registry import get_engine

if __name__ == "__main__":
    source, out, batch = sys.argv[1:]
    rank = os.environ.get("RANK", "0")
    engine = get_engine("faces")(batch=int(batch))
    model = ilk.Generator(kind="dice", engine=engine, steps=40, threads=1, device="cpu")
    model.fit(source, save_to=Path(out, f"rank{rank}.ilk"))
    if "RANK" in os.environ:
        import torch.distributed

        torch.distributed.destroy_process_group()
