"""Small language models for tests: a codec of each tokenizer, an engine that has learned a little, llama.cpp."""

from __future__ import annotations

import json
import urllib.request
from functools import cache
from pathlib import Path

import numpy as np
import torch

from ilk.core.plan import Budget, Plan
from ilk.core.protocol import Example
from ilk.engines.gpt.engine import GptEngine
from ilk.engines.gpt.settings import sized
from ilk.kinds.text.choose import fit_codec
from ilk.kinds.text.codec import TextCodec
from ilk.kinds.text.options import Options

SENTENCES = (
    "The quick brown fox jumps over the lazy dog.",
    "Zwölf Boxkämpfer jagen Viktor quer über den Sylter Deich!",
    "It's 1984, isn't it? No: 2026, and 12 monkeys ate 345 bananas.",
    "def double(x):\n\treturn 2 * x  # twice",
)
TEXT = "\n".join(SENTENCES * 12) + "\n"
STRANGE = "Žluťoučký kůň\n\n  12,5 €\t今天 😀 'll <0x41> zq"
NONE = {"top_logprobs": []}
TOKENIZERS = ("chars", "bytes", "bpe")


class Rows:
    """Data of rows of tokens."""

    def __init__(self, arrays):
        self.arrays = {name: np.asarray(array) for name, array in arrays.items()}

    def __len__(self):
        return len(self.arrays["x"])

    def take(self, indices):
        return {name: array[indices] for name, array in self.arrays.items()}

    def column(self, name):
        return self.arrays[name]


@cache
def codec_of(tokens: str, text: str = TEXT) -> TextCodec:
    """A codec of that tokenizer."""
    options = Options(tokens=tokens, vocabulary=300 if tokens == "bpe" else None)
    return fit_codec([Example(object=text)], options, Plan(steps=1), None)


def rows_of(codec: TextCodec, text: str = TEXT) -> Rows:
    """The text as data."""
    arrays = codec.to_space(codec.encode([Example(object=text)]))
    return Rows({**arrays, "length": np.asarray(arrays["length"])})


@cache
def learned(tokens: str, steps: int = 30) -> tuple[TextCodec, GptEngine]:
    """A codec and a small network that has learned a little: enough that one token is likelier than the others."""
    codec = codec_of(tokens)
    plan = Plan(steps=steps)
    settings = sized(64, layers=2, batch=4, window=96)
    engine = settings.build(codec.space, {}, plan)
    learn(engine, rows_of(codec), steps)
    return codec, engine


def learn(engine: GptEngine, rows: Rows, steps: int) -> list[float]:
    """Some steps; the losses."""
    budget, losses = Budget(Plan(steps=steps)), []
    for metrics in engine.steps(rows, budget):
        losses.append(metrics["loss"])
        budget.advance()
    return losses


def prompts(codec: TextCodec, count: int) -> list[list[int]]:
    """Beginnings: the start token and a little text, cut anywhere."""
    tokens = codec.tokenizer.encode([TEXT])[0].tolist()
    random = np.random.default_rng(0)
    return [[codec.facts.start, *tokens[at : at + 4 + at % 9]] for at in random.integers(0, len(tokens) - 20, count)]


@torch.no_grad()
def scores(engine: GptEngine, tokens: list[int]) -> torch.Tensor:
    """(T, V) log-probabilities in float32."""
    model = engine.at_best()
    return torch.log_softmax(model.logits(model(torch.tensor([tokens])))[0], dim=-1)


def greedy(engine: GptEngine, tokens: list[int], count: int) -> list[int]:
    """The likeliest tokens that follow."""
    known = list(tokens)
    for _ in range(count):
        known.append(int(scores(engine, known)[-1].argmax()))
    return known[len(tokens) :]


class LlamaCpp:
    """llama.cpp with a GGUF file, over its own server on this machine."""

    def __init__(self, path: Path, context: int = 256):
        import xllamacpp

        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_ctx, params.n_parallel, params.warmup, params.verbosity = context, 1, False, -1
        params.cpuparams.n_threads = 1
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        self._server = xllamacpp.Server(params)

    def ask(self, route: str, **body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(
            self._server.listening_address + route, data, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def tokens(self, text: str) -> list[int]:
        """With the start token before them."""
        return self.ask("/tokenize", content=text, add_special=True)["tokens"]

    def greedy(self, tokens: list[int], count: int) -> list[int]:
        answer = self.ask(
            "/completion",
            prompt=tokens,
            n_predict=count,
            temperature=0,
            return_tokens=True,
            ignore_eos=False,
            cache_prompt=False,
        )
        return answer["tokens"]

    def next(self, tokens: list[int]) -> dict[int, float]:
        """Log-probabilities of the ten likeliest next tokens; empty where the first of them is half a character."""
        answer = self.ask("/completion", prompt=tokens, n_predict=1, temperature=0, n_probs=10, cache_prompt=False)
        return {
            each["id"]: each["logprob"] for each in answer.get("completion_probabilities", [NONE])[0]["top_logprobs"]
        }
