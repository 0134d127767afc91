"""What importing costs, and that every module stands on its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tree import modules

HEAVY = ("torch", "numpy", "pandas", "polars", "sklearn", "scipy", "pyarrow", "PIL", "c2pa", "cryptography")

_LOADED = """
import contextlib, io, json, sys
{work}
print(json.dumps([name for name in {heavy} if name in sys.modules]))
"""

_EACH_ALONE = """
import json, os, sys, traceback
import c2pa, cryptography.x509, cyclopts, msgspec, numpy, PIL.Image, rich.progress, safetensors.numpy, torch
import imblearn.base, pyarrow.compute, sklearn.ensemble
failed = {}
for name in json.load(sys.stdin):
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            __import__(name)
        except BaseException:
            os.write(write, traceback.format_exc()[-4000:].encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        said = told.read().decode()
    os.waitpid(child, 0)
    if said:
        failed[name] = said
print(json.dumps(failed))
"""


@pytest.mark.parametrize(
    ("work", "heavy"),
    [
        ("import ilk", (*HEAVY, "rich", "cyclopts", "msgspec")),
        ("import ilk.cli", (*HEAVY, "rich", "cyclopts", "msgspec")),
        ("import ilk.core.protocol, ilk.core.registry, ilk.core.plan", ("torch", "pandas", "sklearn", "PIL")),
        ("from ilk.cli import main\nwith contextlib.redirect_stdout(io.StringIO()): main(['--help'])", HEAVY),
        (
            "from ilk.cli import main\nwith contextlib.redirect_stdout(io.StringIO()): main(['fit', '--help'])",
            ("torch",),
        ),
    ],
    ids=["ilk", "ilk.cli", "core", "ilk --help", "ilk fit --help"],
)
def test_what_is_not_needed_is_not_loaded(work: str, heavy: tuple[str, ...]) -> None:
    program = _LOADED.format(work=work, heavy=heavy)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == []


def test_every_module_imports_alone() -> None:
    names = [module.name for module in modules() if not module.name.endswith("__main__")]
    done = subprocess.run(
        [sys.executable, "-c", _EACH_ALONE],
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    failed = json.loads(done.stdout)
    assert not failed, "\n".join(failed.values())
