"""Two processes under torchrun learn what one with the doubled batch learns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from two_ranks import ENGINES, learn_as_a_rank, plan_of

HERE = Path(__file__).parent
WEIGHTS = ("generator.", "critic.", "weights.", "model.", "network.")


@pytest.mark.parametrize("name", ENGINES)
def test_two_ranks_learn_as_one_with_the_doubled_batch(name, tmp_path):
    paths = os.pathsep.join(path for path in sys.path if path)
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, str(HERE / "two_ranks.py"), str(tmp_path / "two.npz"), name, "8"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    two, one = np.load(tmp_path / "two.npz"), learn_as_a_rank(name, 16)
    assert set(two.files) == set(one)
    start = ENGINES[name](plan_of(), 16)[0].state()
    compared = [each for each in one if each.startswith(WEIGHTS)]
    assert compared
    for each in compared:
        # In the norm, not by element: where a gradient is all but 0, Adam turns its rounding error into a step.
        moved = np.linalg.norm(one[each] - start[each])
        assert np.linalg.norm(two[each] - one[each]) <= 0.02 * moved + 1e-6, each
