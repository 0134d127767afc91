"""Two processes under torchrun learn what one with the doubled batch learns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from two_ranks import learn_as_a_rank

HERE = Path(__file__).parent


def test_two_ranks_learn_as_one_with_the_doubled_batch(tmp_path):
    paths = os.pathsep.join(path for path in sys.path if path)
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*launcher, str(HERE / "two_ranks.py"), str(tmp_path / "two.npz"), "8"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    two, one = np.load(tmp_path / "two.npz"), learn_as_a_rank(16)
    assert set(two.files) == set(one)
    for name, array in one.items():
        if name.startswith(("generator.", "critic.", "average.")):
            np.testing.assert_allclose(two[name], array, rtol=1e-3, atol=1e-4, err_msg=name)
