"""Small model folders for the tests of the core, and a process that dies wherever it is told to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ilk.core import folder as folder_module
from ilk.core.folder import DataRecord, Header, ModelWriter, pack
from ilk.core.plan import Plan

SYSCALLS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.truncate", "shutil.rmtree"}
DIED, DONE, FAILED = 9, 0, 3


def header(step: int) -> Header:
    """A header that says which save it belongs to."""
    return Header(
        ilk="0.1.0",
        kind="none",
        engine="none",
        space={},
        settings={},
        options={},
        plan=Plan(steps=10),
        data=DataRecord(fingerprint="f", count=10, holdout=1, split_seed=0),
        step=step,
        seconds=1.0,
        ended="",
        created="2026-01-01T00:00:00+00:00",
        saved="2026-01-01T00:00:00+00:00",
    )


def files(step: int) -> dict[str, bytes]:
    """Files of that save: one that changes, one that stays, and one that only this save has."""
    return {
        "weights.safetensors": pack({"w": np.full(20, step, np.float32)}),
        "codec/codec.json": b"{}",
        f"codec/only-{step}.json": b"%d" % step,
        "state/learner.safetensors": pack({"s": np.full(5, step, np.float32)}),
    }


def make(path: Path, step: int = 1) -> Path:
    """A folder with one save."""
    with ModelWriter(path) as writer:
        writer.commit(header(step), files(step))
    return path


def dies_at(call: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a child process that is gone, without any cleaning up, at its ``call``-th system call.

    A write counts three times: before it, half written, and written but not yet named. Returns whether
    it died; False means that the work was done before.
    """
    child = os.fork()
    if child == 0:
        _die_in_child(call, work)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (DIED, DONE), f"the child ended with {code}"
    return code == DIED


def _die_in_child(call: int, work: Callable[[], object]) -> None:
    left = [call]

    def tick() -> None:
        left[0] -= 1
        if left[0] == 0:
            os._exit(DIED)

    def listen(event: str, _arguments: object) -> None:
        if event in SYSCALLS:
            tick()

    def write(path: Path, data: bytes) -> None:
        with path.open("wb") as file:
            file.write(data[: len(data) // 2])
            file.flush()
            tick()
            file.write(data[len(data) // 2 :])
        tick()

    code = FAILED
    try:
        folder_module._write_synced = write
        sys.addaudithook(listen)
        work()
        code = DONE
    finally:
        os._exit(code)
