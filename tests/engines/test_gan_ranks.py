"""Two processes under torchrun learn what one with the doubled batch learns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
from gan_data import SMALL, grid
from two_ranks import learn_as_a_rank

from ilk.core.plan import Plan

HERE = Path(__file__).parent


def test_two_ranks_learn_as_one_with_the_doubled_batch(tmp_path):
    paths = os.pathsep.join(path for path in sys.path if path)
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, str(HERE / "two_ranks.py"), str(tmp_path / "two.npz"), "8"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    two, one = np.load(tmp_path / "two.npz"), learn_as_a_rank(16)
    assert set(two.files) == set(one)
    start = msgspec.structs.replace(SMALL, norm="none").build(grid(), {}, Plan(steps=1, seed=5)).state()
    for name in one:
        if name.startswith(("generator.", "critic.")):
            # In the norm, not by element: where a gradient is all but 0, Adam turns its rounding error into a step.
            moved = np.linalg.norm(one[name] - start[name])
            assert np.linalg.norm(two[name] - one[name]) <= 0.02 * moved + 1e-6, name
