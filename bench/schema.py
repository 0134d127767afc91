"""Milliseconds a token that a JSON schema's mask costs: SmolLM2's 49,152 tokens, and 2,048 of its own. One JSON line.

    .venv/bin/python bench/schema.py --tokens 300 --turns 3

Documents that meet a schema (strings with a most length, whole numbers in bounds, an enum, arrays, an object within)
are walked token by token, as if a model had written them, each from the grammar's beginning. ``mask`` is which tokens
may come next, as an array of booleans, and nothing else; ``step`` is all that a token costs: the last one is taken, the
mask is made, and the scores of the others become minus infinity. Of each place the best turn counts, since other work
may run beside it; ``first`` is the first turn, as it came. ``ready`` is what stands before the first token: the
tokenizer's tree once a model, the schema once a call, its beginning once a row. Strings are words of tiny Shakespeare,
which the 2,048 pieces are learned from as well.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import Any, NamedTuple

import numpy as np
import torch
from pictures import DATA

from ilk.engines.gpt.guide import Grammar
from ilk.kinds.text.pretrained import base_codec, open_base
from ilk.kinds.text.tokenizer import END, Tokenizer, trained_tokenizer

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 40},
        "kind": {"enum": ["person", "company", "place", "event"]},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "about": {"type": "string", "maxLength": 200},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 20}, "minItems": 1, "maxItems": 6},
        "orders": {
            "type": "array",
            "maxItems": 4,
            "items": {
                "type": "object",
                "properties": {"number": {"type": "integer"}, "count": {"type": "integer", "minimum": 1}},
                "required": ["number", "count"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["name", "kind", "age", "about", "tags", "orders"],
    "additionalProperties": False,
}
PIECES = 2_048
TARGET = 1.0  # millisecond


class Vocabulary(NamedTuple):
    """A tokenizer, how many tokens a network has for it, and the one that ends a text."""

    tokenizer: Tokenizer
    size: int
    end: int


class Times(NamedTuple):
    """Milliseconds of each place: the mask alone, and all of it."""

    mask: list[float]
    step: list[float]


def vocabularies(text: str) -> dict[str, Vocabulary]:
    """Both of them."""
    base = base_codec(open_base("smollm2"), chat=False)
    pieces = trained_tokenizer([text], PIECES, (END,))
    end = pieces.special(END)
    assert end is not None
    return {
        "smollm2": Vocabulary(base.tokenizer, base.space.vocabulary, base.space.end),
        "own": Vocabulary(pieces, pieces.vocabulary, end),
    }


def document(words: list[str], random_: random.Random) -> str:
    """One that meets the schema, in the style in which samples are written."""

    def some(least: int, most: int, length: int) -> str:
        return " ".join(random_.choices(words, k=random_.randint(least, most)))[:length]

    orders = [
        {"number": random_.randrange(10**8), "count": random_.randint(1, 99)} for _ in range(random_.randint(0, 4))
    ]
    return json.dumps(
        {
            "name": some(1, 4, 40),
            "kind": random_.choice(SCHEMA["properties"]["kind"]["enum"]),
            "age": random_.randint(0, 120),
            "about": some(10, 40, 200),
            "tags": [some(1, 3, 20) for _ in range(random_.randint(1, 6))],
            "orders": orders,
        }
    )


def walked(grammar: Grammar, rows: list[list[int]], vocabulary: Vocabulary) -> Times:
    """Walk all documents twice: once for what the mask takes, once for all."""
    times = Times([], [])
    logits = torch.randn(vocabulary.size)
    for row in rows:
        plain, whole = grammar.processor(), grammar.processor()
        for place in range(len(row) + 1):
            if place:
                plain._matcher.consume_tokens([row[place - 1]])
            began = time.perf_counter()
            allowed = plain._allowed()
            times.mask.append(1000 * (time.perf_counter() - began))
            scores = logits.clone()
            began = time.perf_counter()
            scores = whole(row[:place], scores)
            times.step.append(1000 * (time.perf_counter() - began))
            token = row[place] if place < len(row) else vocabulary.end
            if not allowed[token] or not torch.isfinite(scores[token]):
                raise SystemExit(f"the grammar refuses token {place} of a document that meets the schema")
    return times


def spread(times: list[float]) -> dict[str, float]:
    """Median, p99 and the worst."""
    return {
        "median": round(float(np.median(times)), 4),
        "p99": round(float(np.quantile(times, 0.99)), 4),
        "worst": round(max(times), 4),
    }


def measured(vocabulary: Vocabulary, documents: list[str], tokens: int, turns: int) -> dict[str, Any]:
    """What one vocabulary costs."""
    rows: list[list[int]] = []
    for text in documents:
        if sum(len(row) + 1 for row in rows) < tokens:
            rows.append(vocabulary.tokenizer.encode([text])[0].tolist())
    ready = []
    for _ in range(2):
        began = time.perf_counter()
        grammar = Grammar(
            vocabulary.tokenizer.json.decode(), vocabulary.size, vocabulary.end, "schema", json.dumps(SCHEMA)
        )
        ready.append(1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    grammar.processor()
    ready.append(1000 * (time.perf_counter() - began))
    runs = [walked(grammar, rows, vocabulary) for _ in range(turns)]
    best = Times(*([min(each) for each in zip(*part, strict=True)] for part in zip(*runs, strict=True)))
    return {
        "vocabulary": vocabulary.size,
        "documents": len(rows),
        "tokens": len(best.mask),
        "mask": spread(best.mask),
        "step": spread(best.step),
        "first": {"mask": spread(runs[0].mask), "step": spread(runs[0].step)},
        "ready": {"model": round(ready[0] - ready[1], 1), "schema": round(ready[1], 1), "row": round(ready[2], 1)},
        "met": float(np.quantile(best.mask, 0.99)) <= TARGET,
    }


def main() -> None:
    """Walk, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=300, help="at the least, in whole documents")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = (DATA / "text" / "tinyshakespeare.txt").read_text("utf-8")
    random_, words = random.Random(options.seed), text.split()
    documents = [document(words, random_) for _ in range(options.tokens)]
    line: dict[str, Any] = {"bench": "schema", **vars(options), "target": TARGET, "unit": "ms"}
    for name, vocabulary in vocabularies(text).items():
        line[name] = measured(vocabulary, documents, options.tokens, options.turns)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
