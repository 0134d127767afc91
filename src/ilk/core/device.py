"""Which device, how many threads, which precision: probed on this machine, not assumed.

More threads gain little on a busy machine, and bfloat16 loses on processors without the instructions for
it. So a small convolution, the work that dominates here, is timed each way; threads as engines use
them, each with a batch of its own. The
result is kept in ``ILK_HOME``: a fit by steps reads it there, since another number of threads may
add floats in another order, and the same command must give the same bits.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from ilk.core.config import Record, to_json
from ilk.core.errors import Code, InputError, MachineError
from ilk.core.home import make_folder, write_atomic

GAIN = 1.15  # more threads must win by this much, or the second core is left to the user


class Probe(Record, frozen=True):
    """What was measured on this machine, in convolution steps a second."""

    machine: str
    threads: int
    dtype: Literal["float32", "bfloat16"]
    rates: dict[str, float]


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_name() -> str:
    """What a probe is valid for: processor, cores, torch."""
    import torch

    return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()} {cores()} torch-{torch.__version__}"


def resolve_device(name: str) -> str:
    """``auto`` to the best device here; a named device if it is there.

    Raises:
        InputError: torch knows no such device.
        MachineError: the device is not available on this machine.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(Code.DEVICE, f'There is no device "{name}"; use auto, cpu or cuda.') from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise MachineError(Code.DEVICE, "This machine has no CUDA device that torch can use; use --device cpu.")
    if device.type not in ("cpu", "cuda"):
        raise InputError(Code.DEVICE, f'The device "{name}" is not supported; use auto, cpu or cuda.')
    return name


def probe(home: Path, *, fresh: bool) -> Probe:
    """Threads and precision for this machine; measured (half a second) when ``fresh`` or unknown."""
    path = home / "machine.json"
    if not fresh:
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=Probe)
        except (OSError, msgspec.DecodeError):
            kept = None
        if kept and kept.machine == machine_name():
            return kept
    measured = _measure()
    make_folder(home)
    write_atomic(path, to_json(measured))
    return measured


def set_threads(count: int) -> None:
    """Set torch's threads once for this process."""
    import torch

    if torch.get_num_threads() != count:
        torch.set_num_threads(count)


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for OpenMP, and so for scikit-learn's boosting.

    With two, each waits for the other at every split: where something else runs as well, 4,000 rows took 36 seconds
    instead of 0.6.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "openmp"):
        yield


def _measure() -> Probe:
    import torch

    before = torch.get_num_threads()
    rates: dict[str, float] = {}
    try:
        for dtype in ("float32", "bfloat16"):
            rates[f"{dtype}/1"] = _rate(dtype, 1)
        best: Literal["float32", "bfloat16"]
        best = "bfloat16" if rates["bfloat16/1"] > rates["float32/1"] else "float32"
        threads, most = 1, cores()
        if most > 1:
            rates[f"{best}/{most}"] = _rate(best, most)
            threads = most if rates[f"{best}/{most}"] > GAIN * rates[f"{best}/1"] else 1
    finally:
        torch.set_num_threads(before)
    return Probe(machine=machine_name(), threads=threads, dtype=best, rates=rates)


def _rate(dtype: str, threads: int, seconds: float = 0.12) -> float:
    """Training steps a second, all threads together, of one strided convolution as a small discriminator has it."""
    import torch

    torch.set_num_threads(1)
    if threads == 1:
        return _steps_a_second(dtype, seconds)
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda _: _steps_a_second(dtype, seconds), range(threads)))


def _steps_a_second(dtype: str, seconds: float) -> float:
    import torch

    torch_dtype = getattr(torch, dtype)
    conv = torch.nn.Conv2d(64, 128, 4, stride=2, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    x_BCHW = torch.zeros(64, 64, 16, 16).to(memory_format=torch.channels_last).requires_grad_()
    steps, start, first = 0, 0.0, True
    while first or time.perf_counter() - start < seconds:
        with torch.autocast("cpu", dtype=torch_dtype, enabled=dtype != "float32"):
            y = conv(x_BCHW)
        y.float().square().mean().backward()
        if first:  # the first step builds the kernels
            first, start = False, time.perf_counter()
        else:
            steps += 1
    return steps / (time.perf_counter() - start)
