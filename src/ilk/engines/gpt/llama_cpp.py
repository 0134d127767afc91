"""llama.cpp as what computes: the same sessions, several times faster for one row at a time.

The network is exported to a GGUF file of eight-bit numbers, once a model and process, and llama.cpp draws from it in a
thread of its own. It is given numbers of tokens and asked for such: the file's vocabulary spells each token as its
number, so that no text stands between. The library is the extra ``llama``; settings mean what they mean here, random
numbers are llama.cpp's own.
"""

from __future__ import annotations

import math
import re
import tempfile
import weakref
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ilk.core.errors import BugError, Code, InputError, MachineError
from ilk.core.seeds import stream
from ilk.core.sequences import Processor
from ilk.engines.gpt import state_dict_adapter as hf
from ilk.engines.gpt.gguf import write_gguf
from ilk.engines.gpt.session import Drawn
from ilk.engines.gpt.settings import SampleSettings
from ilk.engines.gpt.vocabulary import numbered

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine
    from ilk.engines.gpt.model import Transformer

NUMBER = re.compile(r"<(\d+)>")
ORDER = ("penalties", "temperature", "top_k", "top_p", "min_p")  # as in processors.py
MOST_CONTEXT = 4_096  # positions that memory is kept for

_servers: weakref.WeakKeyDictionary[GptEngine, tuple[int, Any]] = weakref.WeakKeyDictionary()


class _Likelihood(msgspec.Struct):
    logprob: float


class _Likelihoods(msgspec.Struct):
    content: list[_Likelihood]


class _Choice(msgspec.Struct):
    text: str
    finish_reason: str | None = None
    logprobs: _Likelihoods | None = None


class _Chunk(msgspec.Struct):
    """What is heard of a completion, in the form that the field shares; the rest of it is passed over."""

    choices: list[_Choice]


class _Row:
    """One sequence, made by a thread and heard here."""

    def __init__(self, id: int, server: Any, request: dict[str, Any]) -> None:
        self.id, self._server, self._request = id, server, request
        self.heard: SimpleQueue[tuple[int, float] | str | None] = SimpleQueue()
        self.cancelled = Event()

    def begin(self) -> None:
        Thread(target=self._make, daemon=True).start()

    def _make(self) -> None:
        try:
            self._server.handle_completions(self._request, self._hear)
        except Exception as error:  # of another thread: told where somebody listens
            self.heard.put(f"{type(error).__name__}: {error}")
        self.heard.put(None)

    def _hear(self, chunk: dict[str, Any]) -> bool:
        """Take a piece; True ends the row."""
        if "error" in chunk:
            self.heard.put(str(chunk["error"].get("message", chunk["error"])))
            return True
        choice = msgspec.convert(chunk, _Chunk).choices[0]
        scores = [] if choice.logprobs is None else choice.logprobs.content
        for place, number in enumerate(NUMBER.findall(choice.text)):
            self.heard.put((int(number), scores[place].logprob if place < len(scores) else math.nan))
        if choice.finish_reason == "stop":
            self.heard.put((-1, math.nan))
        return self.cancelled.is_set()


class LlamaSession:
    """Rows one after the other; see :class:`ilk.core.sequences.Session`.

    Attributes:
        window: most tokens of a row, start and what it was given included: llama.cpp ends there.
    """

    def __init__(self, engine: GptEngine, *, logprobs: bool) -> None:
        """An empty session over the engine's best weights.

        Raises:
            MachineError: the extra ``llama`` is not installed.
        """
        self.window = min(MOST_CONTEXT, engine.settings.attended)
        self._server = _server(engine, self.window)
        self._start, self._end, self._logprobs = engine.space.start, engine.space.end, logprobs
        self._rows: deque[_Row] = deque()
        self._begun: int | None = None
        self._left: dict[int, int] = {}  # tokens that a row may still have
        self._next = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do."""
        return not self._rows

    def submit(
        self,
        prompt: Sequence[int],
        settings: SampleSettings,
        seed: int,
        *,
        index: int = 0,
        processors: Sequence[Processor] = (),
    ) -> int:
        """A row that continues a prompt; its name.

        Raises:
            InputError: it would be longer than the window, or something else has a say in its tokens.
        """
        if processors:
            sentence = "llama.cpp takes no stop, schema, regex or choices from here; leave --backend out."
            raise InputError(Code.OPTION, sentence)
        room = self.window - 1 - len(prompt)
        if settings.length > room:
            sentence = f"llama.cpp sees {self.window:,} tokens of this model at once and ends there: after this prompt"
            raise InputError(Code.OPTION, f"{sentence} --length can be {max(0, room):,} at most.")
        request = {
            "prompt": [self._start, *prompt],
            "max_tokens": settings.length,
            "temperature": settings.temperature,
            "top_k": settings.top_k,
            "top_p": settings.top_p,
            "min_p": settings.min_p,
            "repeat_penalty": settings.repetition,
            "repeat_last_n": self.window,
            "samplers": ORDER,
            "seed": int(stream(seed, "llama.cpp", index).integers(2**32 - 1)),
            "stream": True,
            **({"logprobs": 1} if self._logprobs else {}),
        }
        row = _Row(self._next, self._server, request)
        self._left[row.id] = settings.length
        self._rows.append(row)
        self._next += 1
        return row.id

    def step(self) -> list[Drawn]:
        """The next token of the row that is being made; its likelihood where it was asked for, but not of the end.

        Raises:
            BugError: llama.cpp could not go on.
        """
        if not self._rows:
            return []
        row = self._rows[0]
        if self._begun != row.id:
            self._begun = row.id
            row.begin()
        heard = row.heard.get()
        if isinstance(heard, str):
            self._rows.popleft()
            raise BugError(Code.BUG, f"llama.cpp could not go on: {heard}.")
        if heard is None:
            self._rows.popleft()
            return []
        token, logprob = (self._end if heard[0] < 0 else heard[0]), heard[1]
        self._left[row.id] -= 1
        if token == self._end or not self._left[row.id]:
            self._rows.popleft()
        return [Drawn(row.id, token, logprob)]

    def cancel(self, id: int) -> None:
        """Forget a row."""
        for row in [each for each in self._rows if each.id == id]:
            row.cancelled.set()
            self._rows.remove(row)


def _server(engine: GptEngine, context: int) -> Any:
    """llama.cpp with the engine's best weights; loaded once for the same weights."""
    try:
        import xllamacpp  # type: ignore[import-untyped]
    except ImportError:
        sentence = "llama.cpp is not installed here: pip install 'ilk[llama]'."
        raise MachineError(Code.EXTRA_MISSING, sentence) from None
    model, space, mark = cast("Transformer", engine.at_best()), engine.space, engine.mark()
    known = _servers.get(engine)
    if known is None or known[0] != mark:
        with tempfile.TemporaryDirectory(prefix="ilk-", ignore_cleanup_errors=True) as folder:
            path = Path(folder, "model.gguf")
            write_gguf(
                path,
                hf.to_hf(hf.merged_state(model), model.shape),
                model.shape,
                context=engine.settings.attended,
                vocabulary=numbered(space.vocabulary, start=space.start, end=space.end),
                facts={"name": "ilk"},
                type="q8_0",
            )
            settings = xllamacpp.CommonParams()
            settings.model.path = str(path)
            settings.n_ctx, settings.n_parallel, settings.warmup, settings.verbosity = context, 1, False, -1
            settings.cpuparams.n_threads = engine.plan.threads
            known = _servers[engine] = mark, xllamacpp.Server(settings)
    return known[1]
