"""A third party's kind, Space and engine pass the suites, found by their entry points, with no edit in ilk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dice import THIRD_PARTY
from safetensors.numpy import load_file

import ilk
from ilk.core.registry import get_engine, get_kind, kind_names
from ilk.testing import check_engine, check_generator, check_kind

pytestmark = pytest.mark.usefixtures("dice")
HERE = Path(__file__).parent


def test_dice_are_found_by_their_entry_points():
    assert "dice" in kind_names()
    assert get_engine("faces").__name__ == "Faces"


def test_dice_kind_keeps_its_promises(throws):
    assert check_kind(get_kind("dice"), throws) == 41


def test_dice_kind_keeps_its_promises_on_objects_in_memory(throws):
    kind = get_kind("dice")
    assert check_kind(kind, [example.object for example in kind.read(throws, kind.Options())]) == 41


def test_faces_engine_keeps_its_promises(throws):
    kind = get_kind("dice")
    examples = list(kind.read(throws, kind.Options()))
    codec = kind.fit_codec(examples, kind.Options(), None, None)
    data = codec.to_space(codec.encode(examples))
    assert check_engine(get_engine("faces")(), codec.space, conditions=codec.conditions, data=data) == 28
    assert check_engine(get_engine("faces")(), codec.space, data={"x": data["x"]}) == 28


def test_generator_keeps_its_promises_on_dice(throws):
    assert check_generator(None, throws) == 27


def test_generator_learns_that_loaded_dice_show_the_same(throws):
    model = ilk.Generator(steps=300, threads=1).fit(throws)
    same = {
        die: sum(len(set(throw)) == 1 for throw in model.sample(200, seed=1, given={"die": die}))
        for die in ("fair", "loaded")
    }
    assert same["loaded"] > 150
    assert same["fair"] < 50


def test_two_ranks_learn_as_one_with_the_doubled_batch(throws, tmp_path):
    paths = os.pathsep.join([str(THIRD_PARTY), *(entry for entry in sys.path if entry)])
    env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "ILK_HOME": str(tmp_path / "home")}
    script = [str(HERE / "fit_dice.py"), str(throws)]
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    for command in (
        [*launcher, *script, str(tmp_path / "two"), "8"],
        [sys.executable, *script, str(tmp_path / "one"), "16"],
    ):
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        assert "gloo" not in done.stdout, "a group's thread that outlives the interpreter aborts it now and then"
    two, one = (load_file(tmp_path / name / "rank0.ilk" / "weights.safetensors") for name in ("two", "one"))
    assert two.keys() == one.keys()
    for name, array in one.items():
        np.testing.assert_allclose(two[name], array, rtol=1e-5, atol=1e-5, err_msg=name)
    assert ilk.load(tmp_path / "two" / "rank0.ilk").n_steps_ == 40
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["rank0.ilk"], "only rank 0 writes"
