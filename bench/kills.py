"""Kill fits at random moments; every folder left must load, and resume to the uninterrupted weights.

    python bench/kills.py --loads 200 --resumes 10

``loads``: a fit of a tiny model that saves all the time is killed by -9 after a random delay; whatever
lies under the model's name must then load. ``resumes``: ``ilk fit demo:fashion --steps 300 --seed 1`` is
killed again and again and resumed until it is finished; its weights must equal those of the same command
left alone, byte for byte. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAVING = """
import sys
from ilk.cli import main
from ilk.core.run import saving
with saving(every=0.05, share=0.9):
    sys.exit(main(sys.argv[1:]))
"""


def start(words: list[str], *, save_always: bool = False) -> subprocess.Popen[bytes]:
    """Start ``ilk`` with these words, quiet."""
    head = [sys.executable, "-c", SAVING] if save_always else [sys.executable, "-m", "ilk"]
    return subprocess.Popen([*head, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_after(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Kill by -9 after a delay; whether it was still running."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True
    return False


def loads(count: int, folder: Path, rng: random.Random) -> dict[str, float]:
    """Kill ``count`` fits; how many left a folder, and how many of those load."""
    from ilk.core.folder import open_model

    words = ["fit", "demo:fashion", "--steps", "100000", "--threads", "1", "--seed", "1"]
    begin = time.monotonic()
    first = start([*words, "-o", str(folder / "warm.ilk")], save_always=True)
    while not (folder / "warm.ilk").exists():
        time.sleep(0.02)
    ready = time.monotonic() - begin
    kill_after(first, 0.5)
    killed = present = loaded = 0
    for number in range(count):
        path = folder / f"{number}.ilk"
        process = start([*words, "-o", str(path)], save_always=True)
        killed += kill_after(process, ready * rng.uniform(0.7, 1.6))
        if path.exists():
            present += 1
            loaded += bool(open_model(path, state=True))
    return {"killed": killed, "folders": present, "loaded": loaded}


def resumes(count: int, folder: Path, rng: random.Random) -> dict[str, float]:
    """Kill and resume ``count`` fits; how many end with the weights of the uninterrupted one."""
    words = ["fit", "demo:fashion", "--steps", "300", "--seed", "1"]
    begin = time.monotonic()
    start([*words, "-o", str(folder / "whole.ilk")]).wait()
    whole = time.monotonic() - begin
    weights = (folder / "whole.ilk" / "weights.safetensors").read_bytes()
    equal = kills = 0
    for number in range(count):
        path = folder / f"cut{number}.ilk"
        while True:
            process = start([*words, "-o", str(path), "--resume"], save_always=True)
            if not kill_after(process, whole * rng.uniform(0.2, 1.0)):
                break
            kills += 1
        equal += (path / "weights.safetensors").read_bytes() == weights
    return {"fits": count, "kills": kills, "equal": equal}


def main() -> None:
    """Run both and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--loads", type=int, default=200)
    parser.add_argument("--resumes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("ILK_HOME", str(Path(folder) / "home"))
        result = {
            "bench": "kills",
            "loads": loads(args.loads, Path(folder), rng),
            "resumes": resumes(args.resumes, Path(folder), rng),
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
