"""Decoding is a session: prompts come in, each step draws one token of every row, finished rows make room.

Row i of a seed is the same tokens whoever stands beside it: a prompt is computed alone, in blocks that depend on its
own length; a step computes all rows in a width in which this machine gives equal bits (``widths.py``); attention has
shapes of the row's own (``cache.py``); and random numbers are those of (seed, index). A beginning that several prompts
share is computed once. Knows tokens only: no text, no grammar.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ilk.core.errors import Code, InputError
from ilk.core.seeds import stream
from ilk.core.sequences import Processor
from ilk.engines.gpt.cache import Block, Cache, Kept, Steps
from ilk.engines.gpt.model import Transformer
from ilk.engines.gpt.processors import Knobs, choose, knobs, repeated
from ilk.engines.gpt.settings import SampleSettings
from ilk.engines.gpt.widths import fitting, widths

ROWS = 64  # at once
PIECE = 256  # tokens of a prompt that are computed, and shared, together
NARROW = (16, 64, PIECE)  # widths of a prompt's last piece
REMEMBERED = 4  # beginnings of prompts that are kept for those that wait


class Drawn(NamedTuple):
    """A token of a row, and its log-likelihood under the network itself, in nats (NaN where nobody asked)."""

    id: int
    token: int
    logprob: float


class _Row:
    """One sequence that is being made."""

    def __init__(self, id: int, prompt: list[int], settings: SampleSettings, random: np.random.Generator) -> None:
        self.id, self.prompt, self.settings, self.random = id, prompt, settings, random
        self.processors: tuple[Processor, ...] = ()
        self.drawn: list[int] = []
        self.seen: dict[int, None] = {}  # tokens so far, each once
        self.cancelled = False

    @property
    def position(self) -> int:
        """Of the token that was drawn last."""
        return len(self.prompt) + len(self.drawn) - 1


class _Beginning(NamedTuple):
    """What is known of the first tokens of a prompt, and scores of the token after them where it was all of it."""

    tokens: list[int]
    kept: Kept
    logits_V: Tensor | None


class Session:
    """Rows of tokens that go on until they end.

    Attributes:
        window: most tokens that are seen at once; a prompt must fit into it, start included.
    """

    def __init__(
        self,
        model: Transformer,
        *,
        start: int,
        end: int,
        window: int,
        dtype: torch.dtype = torch.float32,
        rows: int = ROWS,
        logprobs: bool = True,
    ) -> None:
        """An empty session.

        Args:
            model: nobody may change its weights meanwhile.
            start: the token before every prompt.
            end: the token that ends a row.
            window: the most positions that one sees.
            dtype: what is computed in; weights should be of this type.
            rows: most of them at once; the others wait.
            logprobs: whether steps tell log-likelihoods, at the price of a pass over the vocabulary.
        """
        self._model, self._start, self._end, self.window, self._dtype = model, start, end, window, dtype
        self._device = model.embedding.device
        self._widths = widths(model, dtype)
        self._most = min(rows, self._widths.body[-1], self._widths.head[-1])
        self._cache = Cache(model.shape, window, dtype, self._device)
        self._logprobs = logprobs
        self._rows: list[_Row] = []  # the place in it is the slot in the cache
        self._waiting: deque[_Row] = deque()
        self._beginnings: list[_Beginning] = []
        self._knobs: Knobs | None = None
        self._next = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do."""
        return not self._rows and not self._waiting

    def submit(
        self,
        prompt: Sequence[int],
        settings: SampleSettings,
        seed: int,
        *,
        index: int = 0,
        processors: Sequence[Processor] = (),
    ) -> int:
        """A row that continues a prompt, as soon as there is room.

        Args:
            prompt: tokens, without the start.
            settings: how it is drawn, and its most tokens.
            seed: with ``index`` the source of all chance.
            index: of the sample.
            processors: change scores before a token is drawn.

        Returns:
            int: its name in this session.

        Raises:
            InputError: the prompt is longer than what the network sees at once.
        """
        if len(prompt) >= self.window:
            sentence = (
                f"The prompt has {len(prompt):,} tokens and the model sees {self.window - 1:,} before a new one; "
                "shorten the prompt."
            )
            raise InputError(Code.GIVEN, sentence)
        row = _Row(self._next, [self._start, *(int(t) for t in prompt)], settings, stream(seed, "token", int(index)))
        row.processors = tuple(processors)
        row.seen = dict.fromkeys(row.prompt[1:]) if settings.repetition != 1 else {}
        self._next += 1
        self._waiting.append(row)
        return row.id

    @torch.inference_mode()
    def cancel(self, id: int) -> None:
        """Forget a row; one that has ended already is no error."""
        self._waiting = deque(row for row in self._waiting if row.id != id)
        self._drop([slot for slot, row in enumerate(self._rows) if row.id == id])

    @torch.inference_mode()
    def step(self) -> list[Drawn]:
        """Draw the next token of every row that has room; a row is over with ``end`` or its most tokens."""
        old = len(self._rows)
        logits = [self._forward()] if old else []
        logits += [self._admit()[None] for _ in range(min(len(self._waiting), self._most - old))]
        if not logits:
            return []
        logits_AV = logits[0] if len(logits) == 1 else torch.cat(logits)
        drawn = self._draw(logits_AV)
        over = [
            slot
            for slot, row in enumerate(self._rows)
            if row.drawn[-1] == self._end or len(row.drawn) >= row.settings.length
        ]
        self._drop(over)
        return drawn

    def _draw(self, logits_AV: Tensor) -> list[Drawn]:
        scores_AV = logits_AV
        if any(row.processors or row.settings.repetition != 1 for row in self._rows):
            scores_AV = logits_AV.clone()
            for slot, row in enumerate(self._rows):
                self._process(row, scores_AV[slot])
        if self._knobs is None:
            self._knobs = knobs([row.settings for row in self._rows])
        uniform_A = np.array([1.0 - row.random.random() for row in self._rows])
        token_A = [int(token) for token in choose(scores_AV, self._knobs, uniform_A)]
        logprob_A = self._logprob(logits_AV, token_A)
        for row, token in zip(self._rows, token_A, strict=True):
            row.drawn.append(token)
            if row.settings.repetition != 1:
                row.seen[token] = None
        return [Drawn(row.id, t, p) for row, t, p in zip(self._rows, token_A, logprob_A, strict=True)]

    def _process(self, row: _Row, scores_V: Tensor) -> None:
        if row.settings.repetition != 1 and row.seen:
            repeated(scores_V, torch.tensor(list(row.seen), device=self._device), row.settings.repetition)
        for processor in row.processors:
            changed = processor(row.drawn, scores_V)
            if changed is not scores_V:
                scores_V.copy_(changed)

    def _logprob(self, logits_AV: Tensor, token_A: list[int]) -> list[float]:
        if not self._logprobs:
            return [float("nan")] * len(token_A)
        chosen = logits_AV.gather(1, torch.tensor(token_A, device=self._device)[:, None])[:, 0]
        return [float(p) for p in (chosen - logits_AV.logsumexp(1)).tolist()]

    def _forward(self) -> Tensor:
        """(A, V) scores after the last token of every row."""
        count = len(self._rows)
        pad = [0] * (fitting(count, self._widths.body) - count)
        position_A = [row.position for row in self._rows]
        store = Steps(self._cache, position_A)
        token_BT = torch.tensor([[row.drawn[-1] for row in self._rows] + pad], device=self._device)
        position_BT = torch.tensor([position_A + pad], device=self._device)
        hidden = self._model(token_BT, dtype=self._dtype, positions_BT=position_BT, store=store)
        short = fitting(count, self._widths.head) - hidden.shape[1]
        hidden_MD = hidden[0, :short] if short < 0 else functional.pad(hidden[0], (0, 0, 0, short))
        return self._model.logits(hidden_MD.contiguous())[:count]

    def _admit(self) -> Tensor:
        """Take the next waiting row; (V,) scores after its prompt."""
        row = self._waiting.popleft()
        slot = len(self._rows)
        known = self._longest(row.prompt)
        if known:
            self._cache.paste(slot, known.kept)
        logits_V = known.logits_V if known and len(known.tokens) == len(row.prompt) else None
        if logits_V is None:
            logits_V = self._prefill(row.prompt, slot, len(known.tokens) if known else 0)
        self._rows.append(row)
        self._knobs = None
        return logits_V

    def _prefill(self, prompt: list[int], slot: int, first: int) -> Tensor:
        """Compute a prompt from position ``first`` on, piece by piece."""
        while True:
            part = prompt[first : first + PIECE]
            width = fitting(len(part), NARROW)
            store = Block(self._cache, slot, first, len(part), width)
            pad = [0] * (width - len(part))
            token_BT = torch.tensor([part + pad], device=self._device)
            position_BT = torch.arange(first, first + width, device=self._device)[None]
            hidden = self._model(token_BT, dtype=self._dtype, positions_BT=position_BT, store=store)
            first += len(part)
            if first == len(prompt):
                logits_V = self._model.logits(hidden[0, len(part) - 1 : len(part)])[0]
                self._remember(prompt, slot, logits_V)
                return logits_V
            self._remember(prompt[:first], slot, None)

    def _longest(self, prompt: list[int]) -> _Beginning | None:
        """The longest beginning that is known of a prompt: all of it, or whole pieces."""
        fits = [
            known
            for known in self._beginnings
            if (known.logits_V is None or len(known.tokens) == len(prompt))
            and known.tokens == prompt[: len(known.tokens)]
        ]
        return max(fits, key=lambda known: (len(known.tokens), known.logits_V is not None), default=None)

    def _remember(self, tokens: list[int], slot: int, logits_V: Tensor | None) -> None:
        """Keep the beginning of a prompt where one that waits has it too."""
        whole = logits_V is not None
        if any((row.prompt if whole else row.prompt[: len(tokens)]) == tokens for row in self._waiting):
            self._beginnings = self._beginnings[-REMEMBERED + 1 :]
            self._beginnings.append(_Beginning(tokens, self._cache.copy(slot, len(tokens)), logits_V))

    def _drop(self, slots: list[int]) -> None:
        """Take rows out; the last ones move into their places, so that rows stand side by side."""
        for slot in sorted(slots, reverse=True):
            last = self._rows.pop()
            if slot < len(self._rows):
                self._rows[slot] = last
                self._cache.move(len(self._rows), slot)
            self._knobs = None
