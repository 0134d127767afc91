"""One model in three programs: ilk, transformers and llama.cpp go on from 20 beginnings alike? One JSON line.

    .venv/bin/python bench/export.py MODEL.ilk

``MODEL.ilk`` was learned beside SmolLM2 (``bench/lora.py --work FOLDER`` leaves one). It is merged and exported in
float32 as hf and as gguf; each program then writes 64 greedy tokens after 20 beginnings. ``same`` counts beginnings
after which all tokens are the same as ours, ``tokens`` the share of tokens before the first difference. A difference
is to be expected only where two tokens are almost as likely: ``margin`` is the largest gap, in nats, between our
likeliest token and theirs where they part.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "engines"))

BEGINNINGS = (
    "The configuration of", "This model", "Returns a list of", "A tokenizer", "Once upon a time", "def main(",
    "In 2026,", "The weights", "To use this,", "Args:", "An image", "Whether to", "The capital of France", "Water",
    "If the batch", "Note that", "Examples:", "She said", "The number of", "It is known that",
)  # fmt: skip
COUNT = 64


def parted(ours: list[int], theirs: list[int]) -> int:
    """How many tokens are the same before the first other one."""
    pairs = zip(ours, theirs, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(ours), len(theirs)))


def main() -> None:
    """Export, write and print one JSON line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=len(BEGINNINGS))
    args = parser.parse_args()
    import torch
    from transformers import AutoModelForCausalLM

    from ilk import load
    from ilk.engines.gpt.adapters import merge_adapters
    from ilk.generator.export import export

    small: Any = importlib.import_module("gpt_small")
    model = load(args.model, device="cpu").model_
    engine: Any = model.engine
    folder = Path(tempfile.mkdtemp(prefix="ilk-export-"))
    export(model, folder / "hf", "hf", merge=True)
    export(model, folder / "m.gguf", "gguf", merge=True)
    engine.model.float()
    merge_adapters(engine.model)
    hf = AutoModelForCausalLM.from_pretrained(folder / "hf", dtype=torch.float32)
    cpp = small.LlamaCpp(folder / "m.gguf")
    tokenizer: Any = model.codec
    found: dict[str, dict[str, float]] = {name: {"same": 0, "tokens": 0.0, "margin": 0.0} for name in ("hf", "gguf")}
    logits = 0.0
    for text in BEGINNINGS[: args.count]:
        prompt = [engine.space.start, *tokenizer.tokenizer.encode([text])[0].tolist()]
        ours = small.greedy(engine, prompt, COUNT)
        x = torch.tensor([prompt])
        with torch.no_grad():
            logits = max(logits, float((hf(x).logits - engine.model.logits(engine.model(x))).abs().max()))
        made = hf.generate(x, max_new_tokens=COUNT, do_sample=False)[0, len(prompt) :].tolist()
        for name, theirs in (("hf", made), ("gguf", cpp.greedy(prompt, COUNT))):
            place = parted(ours, theirs)
            at = small.scores(engine, prompt + ours[:place])[-1]
            other = theirs[place] if place < min(len(ours), len(theirs)) else int(at.argmax())
            found[name]["same"] += place >= min(len(ours), len(theirs))
            found[name]["tokens"] += place / min(len(ours), len(theirs)) / args.count
            found[name]["margin"] = max(found[name]["margin"], float(at.max() - at[other]))
    print(json.dumps({"bench": "export", "beginnings": args.count, "tokens": COUNT, "logits": logits, **found}))


if __name__ == "__main__":
    main()
