"""Tokens a second from a model of SmolLM2-135M's size, beside transformers in the same process. One JSON line.

    .venv/bin/python bench/decode.py --rows 64 --new 32 --turns 3 --threads 2
    .venv/bin/python bench/decode.py --rows 1 --new 32 --turns 3 --threads 2

Both have random weights of the same shape in bfloat16, continue the same random prompt of ``--prompt`` tokens and draw
at temperature 1 among the 50 likeliest. They take turns; the best turn of each counts, since other work may run beside
them. transformers is timed with its dynamic and its static cache, and the faster one is the peer. ``first`` is the time
to the first token of all rows, prefill included.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch

from ilk.core.spaces import Tokens
from ilk.engines.gpt import Gpt, SampleSettings
from ilk.engines.gpt.engine import shape_of
from ilk.engines.gpt.model import Transformer
from ilk.engines.gpt.session import Session

VOCABULARY = 49_152
SMOL = Gpt(
    width=576, layers=30, heads=9, key_heads=3, head_size=64, hidden=1536, window=2048, theta=100_000.0, norms=True
)


def ours(layers: int) -> Transformer:
    """Our network with random weights, in bfloat16."""
    settings = Gpt(**{name: getattr(SMOL, name) for name in SMOL.__struct_fields__} | {"layers": layers})
    model = Transformer(shape_of(settings, Tokens(vocabulary=VOCABULARY, length=2048, start=0, end=0)))
    model.learn_norms()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.02)
    return model.to(torch.bfloat16).requires_grad_(requires_grad=False)


def theirs(layers: int) -> Any:
    """The peer: a Llama of the same shape."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=576, intermediate_size=1536, num_hidden_layers=layers,
        num_attention_heads=9, num_key_value_heads=3, tie_word_embeddings=True, max_position_embeddings=2048,
        bos_token_id=0, eos_token_id=None, pad_token_id=0,
    )  # fmt: skip
    network: Any = LlamaForCausalLM(config)
    return network.to(torch.bfloat16).eval()


def run_ours(model: Transformer, prompt: list[int], rows: int, new: int) -> tuple[float, float]:
    """Seconds to the first token, and from there to the last one."""
    session = Session(model, start=0, end=-1, window=2048, dtype=torch.bfloat16, rows=rows, logprobs=False)
    settings = SampleSettings(length=new, temperature=1.0, min_p=0.0, top_k=50)
    start = time.perf_counter()
    for index in range(rows):
        session.submit(prompt[1:], settings, 1, index=index)
    session.step()
    first = time.perf_counter()
    while not session.idle:
        session.step()
    return first - start, time.perf_counter() - first


@torch.inference_mode()
def run_theirs(model: Any, prompt: list[int], rows: int, new: int, cache: str | None) -> tuple[float, float]:
    """The same of transformers' generate."""
    ids = torch.tensor([prompt] * rows)
    more: dict[str, Any] = {"cache_implementation": cache} if cache else {}
    seen: list[float] = []

    def clock(_: Any, scores: torch.Tensor) -> torch.Tensor:
        seen.append(time.perf_counter())
        return scores

    from transformers import LogitsProcessorList

    start = time.perf_counter()
    model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=True, top_k=50,
        temperature=1.0, logits_processor=LogitsProcessorList([clock]), disable_compile=True, **more,
    )  # fmt: skip
    return seen[0] - start, time.perf_counter() - seen[0]


def main() -> None:
    """Take turns, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--new", type=int, default=8)
    parser.add_argument("--prompt", type=int, default=32)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--caches", nargs="*", default=["dynamic", "static"], help="of transformers")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    prompt = np.random.default_rng(0).integers(1, VOCABULARY, options.prompt).tolist()
    own, peer = ours(options.layers), theirs(options.layers)
    timed: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.turns + 1):
        timed.setdefault("ilk", []).append(run_ours(own, prompt, options.rows, options.new))
        for cache in options.caches:
            name = None if cache == "dynamic" else cache
            timed.setdefault(cache, []).append(run_theirs(peer, prompt, options.rows, options.new, name))
    line: dict[str, Any] = {"bench": "decode", **vars(options)}
    for name, turns in timed.items():
        first, rest = (min(turn[part] for turn in turns[1:]) for part in (0, 1))
        line[name] = {
            "tokens_a_second": round(options.rows * (options.new - 1) / rest, 1),
            "first": round(first, 3),
            "ms_a_step": round(1000 * rest / (options.new - 1), 2),
        }
    best = max(line[cache]["tokens_a_second"] for cache in options.caches)
    line["ratio"] = round(line["ilk"]["tokens_a_second"] / best, 2)
    print(json.dumps(line))


if __name__ == "__main__":
    main()
