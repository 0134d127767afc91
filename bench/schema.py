"""What a JSON schema costs a token: milliseconds of its mask alone. One JSON line.

    .venv/bin/python bench/schema.py

For SmolLM2's 49,152 tokens (where the asset is there) and for 2,048 pieces of words learned from a small text. Each
token of a valid answer is allowed by the mask that is computed before it; the first one includes nothing of the set-up,
which is told apart.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from pictures import DATA

from ilk.core.errors import IlkError
from ilk.engines.gpt.guide import Grammar
from ilk.kinds.text.pretrained import base_tokenizer, open_base
from ilk.kinds.text.tokenizer import Tokenizer, trained_tokenizer

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "summary": {"type": "string", "maxLength": 300},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        "kind": {"enum": ["restaurant", "cafe", "pub", "bakery"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "maxItems": 6},
        "open": {"type": "boolean"},
    },
    "required": ["name", "summary", "stars", "kind", "tags", "open"],
    "additionalProperties": False,
}
ANSWER = {
    "name": "The Blue Heron",
    "summary": "A quiet house by the river with slow food, good bread and a view that makes up for the wait; ask for "
    "the table under the window, and for the soup of the day, which is never the same twice.",
    "stars": 4,
    "kind": "restaurant",
    "tags": ["river", "slow food", "bread", "terrace"],
    "open": True,
}


def timed(tokenizer: Tokenizer, end: int, rounds: int) -> dict[str, float]:
    """Milliseconds of the set-up and of each mask."""
    began = time.perf_counter()
    grammar = Grammar(tokenizer.json.decode(), tokenizer.vocabulary, end, "schema", json.dumps(SCHEMA))
    setup = time.perf_counter() - began
    scores, took = torch.zeros(tokenizer.vocabulary), []
    answer = tokenizer.encode([json.dumps(ANSWER)])[0].tolist()
    for _ in range(rounds):
        walk, tokens = grammar.processor(), list[int]()
        for token in answer:
            scores.zero_()
            start = time.perf_counter()
            walk(tokens, scores)
            took.append(1000 * (time.perf_counter() - start))
            if scores[token] != 0:
                raise SystemExit("the mask forbids a valid answer")
            tokens.append(token)
    found: dict[str, float] = {
        "mean": float(np.mean(took)),
        "median": float(np.median(took)),
        "p99": float(np.quantile(took, 0.99)),
        "most": max(took),
        "setup": 1000 * setup,
    }
    return {name: round(value, 3) for name, value in found.items()} | {"tokens": len(took)}


def main() -> None:
    """Both vocabularies, one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    text = (DATA / "text" / "tinyshakespeare.txt").read_text("utf-8")
    pieces = trained_tokenizer([text[:500_000]], 2048, ["<|endoftext|>"])
    line: dict[str, Any] = {
        "bench": "schema",
        "pieces_2048": timed(pieces, pieces.special("<|endoftext|>") or 0, options.rounds),
    }
    try:
        base = base_tokenizer(open_base("smollm2"))
        line["smollm2_49152"] = timed(base, 0, options.rounds)
    except IlkError as error:
        line["smollm2_49152"] = error.sentence
    print(json.dumps(line))


if __name__ == "__main__":
    main()
