"""Text from scratch against nanoGPT's configuration for a CPU at equal seconds, and the best n-gram. One JSON line.

    .venv/bin/python bench/nanogpt.py --seconds 43 180 --seeds 0 1 2

Tiny Shakespeare, the usual split: the first 90 % to learn from, the last 10 % to be scored, all of it. The peer is as
published (``config/train_shakespeare_char.py`` with the README's settings for a CPU: 4 layers, 4 heads, width 128,
block 64, batch 12, AdamW 1e-3 with beta2 0.99, warm-up of 100 steps, cosine to a tenth, gradients clipped at 1, no
dropout), with its schedule stretched over the seconds. Ours is ``ilk.Generator(minutes=...)`` on the same file,
start-up, tokeniser and all. One evaluator for both: every token is known from at least half of, and at most,
``--context`` *characters* (64: all that the peer can see); ``own`` is the same with ours at its own windows.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pictures import DATA
from torch import Tensor, nn
from torch.nn import functional

from ilk.core.device import cores

Score = Callable[[Tensor], Tensor]
"""(B, T) tokens -> (B, T - 1) log-likelihood of each token but the first, nats."""

BLOCK, BATCH, LAYERS, HEADS, WIDTH = 64, 12, 4, 4, 128


class Block(nn.Module):
    """A GPT-2 block without biases."""

    def __init__(self) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(WIDTH, bias=False), nn.LayerNorm(WIDTH, bias=False)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        B, T, _ = x.shape
        q, k, v = (part.view(B, T, HEADS, -1).transpose(1, 2) for part in self.qkv(self.ln_1(x)).chunk(3, dim=-1))
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = torch.add(x, self.out(y.transpose(1, 2).reshape(B, T, WIDTH)))
        return torch.add(x, self.down(functional.gelu(self.up(self.ln_2(x)))))


class NanoGpt(nn.Module):
    """The peer's network."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocabulary, WIDTH), nn.Embedding(BLOCK, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                small = (2 * LAYERS) ** -0.5 if name.endswith(("out.weight", "down.weight")) else 1.0
                nn.init.normal_(parameter, std=0.02 * small)

    def forward(self, x_BT: Tensor) -> Tensor:
        x = self.tokens(x_BT) + self.places.weight[: x_BT.shape[1]]
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.tokens.weight)

    def score(self, x_BT: Tensor) -> Tensor:
        """See ``Score``."""
        logits = self(x_BT[:, :-1]).log_softmax(-1)
        chosen: Tensor = logits.gather(-1, x_BT[:, 1:, None])
        return chosen[..., 0]


def peer(text: str, seconds: float, seed: int) -> tuple[NanoGpt, dict[str, int], int]:
    """The peer after so many seconds, its characters, and its steps."""
    torch.set_num_threads(cores())  # ours sets its own
    torch.manual_seed(seed)
    began = time.monotonic()
    characters = {c: i for i, c in enumerate(sorted(set(text)))}
    data = torch.tensor([characters[c] for c in text])
    model = NanoGpt(len(characters))
    decayed = [p for p in model.parameters() if p.ndim > 1]
    groups = [
        {"params": decayed, "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    adam = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), fused=True)
    steps = 0
    while (progress := (time.monotonic() - began) / seconds) < 1:
        rate = 1e-3 * min(1.0, (steps + 1) / 100) * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))
        for group in adam.param_groups:
            group["lr"] = rate
        first = torch.randint(len(data) - BLOCK, (BATCH,))
        windows = torch.stack([data[i : i + BLOCK + 1] for i in first.tolist()])
        loss = functional.cross_entropy(model(windows[:, :-1]).flatten(0, 1), windows[:, 1:].flatten())
        adam.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
        steps += 1
    return model.eval(), characters, steps


@torch.no_grad()
def nats(score: Score, tokens: Sequence[int], widths: Sequence[int], context: int, before: int | None) -> float:
    """Nats of all tokens together, each known from half of ``context`` characters to all of it.

    Args:
        score: of whole windows.
        tokens: of the text.
        widths: characters of each token.
        context: in characters.
        before: a token that stands before the first one, or None.
    """
    ends = np.cumsum([0, *widths])
    ids = ([] if before is None else [before]) + list(tokens)
    shift = len(ids) - len(tokens)
    windows: dict[tuple[int, bool], list[tuple[int, int]]] = {}  # alike in length: nothing stands before the first
    done = 0 if shift else 1  # without one before it, nothing tells of the first token
    while done < len(tokens):
        first = int(np.searchsorted(ends, ends[done] - context // 2)) if done else 0
        stop = min(len(tokens), max(done + 1, int(np.searchsorted(ends, ends[first] + context, side="right")) - 1))
        windows.setdefault((stop - first, first + shift == 0), []).append((first, done))
        done = stop
    total = 0.0
    for (width, _), places in windows.items():
        for at in range(0, len(places), 256):
            some = places[at : at + 256]
            rows = torch.tensor([ids[max(0, f - 1 + shift) : f + width + shift] for f, _ in some])
            found = score(rows).double()
            total -= sum(
                float(row[len(row) - (f + width - d) :].sum()) for row, (f, d) in zip(found, some, strict=True)
            )
    return total


def ours(path: Path, seconds: float, seed: int) -> Any:
    """A model that ``ilk`` learned from the file."""
    import ilk

    began = time.monotonic()
    return ilk.Generator(kind="text", minutes=seconds / 60, random_state=seed, holdout=0.0).fit(path, since=began)


def held(model: Any, text: str, context: int) -> float:
    """Nats a character of ours."""
    from ilk.engines.gpt.score import _scores

    codec, engine = model.model_.codec, model.model_.engine
    tokens = codec.tokenizer.encode([text])[0]
    widths = [len(each) for each in codec.tokenizer.decode([np.array([token]) for token in tokens])]
    network = engine.at_best()
    return nats(lambda x: _scores(network, x), tokens.tolist(), widths, context, engine.space.start) / len(text)


def main() -> None:
    """Learn, score, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[43])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--own", type=int, default=256, help="characters for ours with its own windows")
    options = parser.parse_args()
    text = (DATA / "text" / "tinyshakespeare.txt").read_text("utf-8")
    split = int(0.9 * len(text))
    train, unseen = text[:split], text[split:]
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        path.write_text(train, "utf-8")
        for seconds in options.seconds:
            for seed in options.seeds:
                network, characters, steps = peer(train, seconds, seed)
                ids = [characters[c] for c in unseen]
                theirs = nats(network.score, ids, [1] * len(ids), options.context, None) / len(unseen)
                model = ours(path, seconds, seed)
                mine = held(model, unseen, options.context)
                run = {"seconds": seconds, "seed": seed, "ratio": round(mine / theirs, 4)}
                run |= {"ilk": round(mine, 4), "ilk_own": round(held(model, unseen, options.own), 4)}
                run |= {"nanogpt": round(theirs, 4), "ilk_steps": model.n_steps_, "nanogpt_steps": steps}
                runs.append(run)
    print(json.dumps({"bench": "nanogpt", "context": options.context, "runs": runs}))


if __name__ == "__main__":
    main()
