"""What can be set about the transformer, and the defaults that win.

``default_settings`` is the one place where defaults are a function of budget, tokens, base and device; the runs behind
it are in ``docs/log.md``. This file does not import torch: ``Gpt.build`` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta
from msgspec.structs import replace

from ilk.core.config import Record
from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Base, Condition
from ilk.core.spaces import Space, Tokens

PASS = 1 / 22_000  # core-seconds a token that one pass takes the smallest network
PASSES = 5  # over a text; more tell little more of its kind, and much more of itself
FEW = 100_000  # tokens of a text that is known by heart sooner
WINDOW = 64  # tokens: some 150 characters; longer ones teach less in the same minutes (docs/log.md)

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine


class SampleSettings(Record, frozen=True):
    """What can be set about drawing samples."""

    length: Annotated[
        int, Meta(ge=1, le=1_000_000, description="most tokens of a sample, what it was given not counted")
    ] = 500
    temperature: Annotated[
        float, Meta(ge=0, le=10, description="below 1 safer and more alike, above 1 wilder; 0: always the likeliest")
    ] = 0.8
    top_k: Annotated[int, Meta(ge=0, description="draw among so many likeliest tokens; 0: all")] = 0
    top_p: Annotated[
        float, Meta(gt=0, le=1, description="draw among the likeliest tokens that have this share together")
    ] = 1.0
    min_p: Annotated[
        float, Meta(ge=0, lt=1, description="leave out tokens below this share of the likeliest one's probability")
    ] = 0.05
    repetition: Annotated[
        float, Meta(ge=1, le=10, description="divide the odds of tokens that came before by this much; 1: not at all")
    ] = 1.0
    backend: Annotated[
        Literal["ilk", "llama.cpp"],
        Meta(description="what computes; llama.cpp is faster for one sample, and has random numbers of its own"),
    ] = "ilk"


class Gpt(Record, frozen=True):
    """Settings of the transformer that continues sequences."""

    Sample: ClassVar[type[SampleSettings]] = SampleSettings

    width: Annotated[int, Meta(ge=8, le=16384, description="numbers that are known at each place")] = 128
    layers: Annotated[int, Meta(ge=1, le=256, description="blocks of attention and feed-forward part")] = 4
    heads: Annotated[int, Meta(ge=1, le=256, description="query heads")] = 4
    key_heads: Annotated[int, Meta(ge=1, le=256, description="key and value heads; heads share them in groups")] = 4
    head_size: Annotated[int, Meta(ge=2, le=1024, description="numbers of a head")] = 32
    hidden: Annotated[int, Meta(ge=8, le=65536, description="inner width of the feed-forward part")] = 344
    window: Annotated[int, Meta(ge=2, le=131072, description="tokens that are seen at once, in learning and after")] = (
        128
    )
    context: Annotated[
        int, Meta(ge=0, le=131072, description="most tokens that are seen at once after learning; 0: the window")
    ] = 0
    theta: Annotated[float, Meta(ge=1, description="base of the rotary frequencies")] = 10_000.0
    epsilon: Annotated[float, Meta(gt=0, le=1, description="of the norms")] = 1e-5
    tied: Annotated[bool, Meta(description="one matrix for what goes in and what comes out")] = True
    norms: Annotated[bool, Meta(description="the norms have weights")] = False
    batch: Annotated[int, Meta(ge=1, le=65536, description="windows a step and process")] = 32
    matrix_rate: Annotated[float, Meta(ge=0, description="Muon's learning rate, of the blocks' matrices; 0: AdamW")] = (
        0.014
    )
    rate: Annotated[float, Meta(gt=0, description="AdamW's learning rate, of everything else")] = 2e-2
    decay: Annotated[float, Meta(ge=0, le=10, description="weight decay")] = 0.0
    warm: Annotated[int, Meta(ge=0, description="steps in which the rates rise")] = 10
    hold: Annotated[float, Meta(ge=0, le=1, description="share of the budget after which the rates fall to 0")] = 0.4
    passes: Annotated[
        int, Meta(ge=0, description="most passes over the tokens in a fit by minutes: more would copy them; 0: any")
    ] = 5
    dropout: Annotated[
        float, Meta(ge=0, lt=1, description="share of what a block adds that is left out at random in learning")
    ] = 0.0
    noise: Annotated[
        float, Meta(ge=0, lt=1, description="share of the tokens that are seen as others of their window in learning")
    ] = 0.0
    adapter: Annotated[
        int, Meta(ge=0, le=1024, description="rank of what is learned beside a base (LoRA); 0: all weights are learned")
    ] = 0

    def __post_init__(self) -> None:
        if self.heads % self.key_heads:
            sentence = f"{self.heads} heads cannot share {self.key_heads} key heads: the one must divide the other."
            raise InputError(Code.OPTION, sentence)
        if self.head_size % 2:
            raise InputError(Code.OPTION, f"head_size must be even, not {self.head_size}.")

    @property
    def attended(self) -> int:
        """Most tokens that are seen at once after learning."""
        return self.context or self.window

    @property
    def name(self) -> str:
        """The engine's name."""
        return "gpt"

    def build(self, space: Space, conditions: Mapping[str, Condition], plan: Plan) -> GptEngine:  # noqa: ARG002
        """The engine for Tokens.

        Raises:
            InputError: another Space.
        """
        if not isinstance(space, Tokens):
            sentence = f"The {self.name} engine learns sequences of tokens, not {type(space).__name__}."
            raise InputError(Code.OPTION, sentence)
        from ilk.engines.gpt.engine import GptEngine

        return GptEngine(self, space, plan)


def default_settings(space: Tokens, *, tokens: int, plan: Plan, base: Base | None = None) -> Gpt:
    """The settings that win for this budget.

    Args:
        space: vocabulary and length.
        tokens: how many there are to learn from.
        plan: the budget in seconds or steps, the size that was asked for, threads and device.
        base: what is pretrained, or None.
    """
    if base is not None:
        from ilk.engines.gpt.bases import base_settings

        return base_settings(base, plan)
    factor = {"small": 0.5, "medium": 1.0, "large": 2.0, None: 1.0}[plan.size]
    window = max(8, space.length)
    if plan.device.startswith("cuda"):
        # Not measured here but inferred from published recipes for small corpora; a GPU idles on anything smaller.
        return sized(int(384 * factor), layers=6, batch=64, window=min(256, window), rate=1e-2)
    # On a CPU: what a core learns in its seconds, and no more than the text can teach.
    seconds = plan.core_seconds or 60.0
    passes = seconds / (PASS * tokens)
    often = passes > 1.5 * PASSES  # the time is enough for all, on a slower machine too: learning may be made harder
    # Where it is read so often a larger network learns no more of it.
    width, layers = (128, 3) if often or seconds < 200 else (192, 4) if seconds < 1_500 else (256, 6)
    # 32 windows a step, however many threads share them: fewer are too noisy for these rates, more too few steps.
    settings = sized(int(width * factor), layers=layers, batch=32, window=min(WINDOW, window), rate=2e-2)
    left_out = 0.0 if not often else 0.1 if tokens > FEW else 0.2
    return replace(settings, passes=PASSES, dropout=left_out, noise=left_out)


def sized(width: int, *, layers: int, batch: int, window: int, rate: float = 2e-2, head_size: int = 32) -> Gpt:
    """Settings of a width, the rest in proportion."""
    heads = max(1, width // head_size)
    return Gpt(
        width=heads * head_size,
        layers=layers,
        heads=heads,
        key_heads=heads,
        head_size=head_size,
        hidden=max(16, width * 8 // 3 // 8 * 8),
        batch=batch,
        window=window,
        rate=rate,
    )
