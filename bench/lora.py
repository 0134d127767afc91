"""Learning beside SmolLM2 for 150 s: nats per character of unseen text before and after, and training tokens a second.

    .venv/bin/python bench/lora.py [--seconds 150] [--work FOLDER]

The base must not have seen the text. SmolLM2 was trained on what there was until 2024, so the text is the docstrings of
those modules of transformers whose copyright line says 2026: a megabyte of prose in one house's style. Models are held
out by their folder, every paragraph comes once, and none that stands in the training text is in what is held out.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import os
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")

BASE, YEAR = "smollm2", "Copyright 2026"
SHORTEST = 200  # characters of a docstring that is prose
SHARE = 10  # one model in so many is held out


def docstrings(root: Path) -> dict[str, list[str]]:
    """Paragraphs of new docstrings by the folder of their model, each once."""
    found: dict[str, list[str]] = defaultdict(list)
    known: set[str] = set()
    for path in sorted(root.rglob("*.py")):
        source = path.read_text("utf-8", "replace")
        if YEAR not in source[:400]:
            continue
        kinds = (ast.FunctionDef, ast.ClassDef, ast.Module)
        texts = (ast.get_docstring(node) for node in ast.walk(ast.parse(source)) if isinstance(node, kinds))
        for text in texts:
            if text and len(text) >= SHORTEST:
                new = [part for part in text.split("\n\n") if part.strip() and part.strip() not in known]
                known.update(part.strip() for part in new)
                found[path.parent.name] += new
    return {name: parts for name, parts in found.items() if parts}


def split(found: dict[str, list[str]]) -> tuple[dict[str, str], str]:
    """(training text by model, held-out text)."""
    held = {name for name in found if int(hashlib.sha256(name.encode()).hexdigest(), 16) % SHARE == 0}
    train = {name: "\n\n".join(parts) for name, parts in found.items() if name not in held}
    seen = {line.strip() for text in train.values() for line in text.split("\n\n")}
    unseen = [part for name in sorted(held) for part in found[name] if part.strip() not in seen]
    return train, "\n\n".join(unseen)


def nats(model: Any, text: str) -> float:
    """Nats per character of a text, each token known from at most a window."""
    from ilk.core.protocol import Example

    arrays = model.codec.to_space(model.codec.encode([Example(object=text)]))
    scores = model.engine.log_score(arrays, model.settings.window)
    return -float(scores.sum()) / len(text)


def main() -> None:
    """Learn, score and print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--work", type=Path)
    args = parser.parse_args()
    spec = importlib.util.find_spec("transformers")
    if spec is None or spec.origin is None:
        raise SystemExit("transformers is not installed")
    train, unseen = split(docstrings(Path(spec.origin).parent))
    work = args.work or Path(tempfile.mkdtemp(prefix="ilk-lora-"))
    notes = work / "notes"
    notes.mkdir(parents=True, exist_ok=True)
    for name, text in train.items():
        (notes / f"{name}.txt").write_text(text + "\n", "utf-8")
    import torch

    from ilk import Generator

    began = time.monotonic()
    fitted = Generator(kind="text", base=BASE, minutes=args.seconds / 60).fit(str(notes), save_to=work / "notes.ilk")
    took = time.monotonic() - began
    model, header = fitted.model_, fitted.model_.header
    after = nats(model, unseen)
    weights = {name: array * 0 if name.endswith(".up") else array for name, array in model.engine.weights().items()}
    model.engine.load_weights(weights)  # without what B adds, the base is as it was
    before = nats(model, unseen)
    tokens = header.step * header.settings["batch"] * header.settings["window"]
    line = {
        "bench": "lora",
        "base": BASE,
        "train_characters": sum(map(len, train.values())),
        "held_out_characters": len(unseen),
        "before": round(before, 4),
        "after": round(after, 4),
        "ratio": round(after / before, 4),
        "steps": header.step,
        "learning_seconds": header.seconds,
        "call_seconds": round(took, 1),
        "tokens_a_second": round(tokens / header.seconds),
        "megabytes": round((work / "notes.ilk" / "weights.safetensors").stat().st_size / 1e6, 1),
        "threads": header.plan.threads,
        "dtype": header.plan.dtype,
        "settings": {name: header.settings[name] for name in ("adapter", "batch", "window", "rate", "warm", "hold")},
        "torch": torch.__version__,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main()
