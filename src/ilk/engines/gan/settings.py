"""What can be set about the adversarial pair, and the defaults that win.

``default_settings`` is the one place where defaults are a function of budget, resolution, number of
pictures and device; the runs behind it are in ``docs/log.md``. This file does not import torch:
``Gan.build`` does, so that an options table costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from msgspec import Meta

from ilk.core.config import Record
from ilk.core.plan import Plan
from ilk.core.protocol import Condition
from ilk.core.spaces import Grid, Space
from ilk.engines.common.inputs import as_grid

LARGE = 64  # pixels a side, above which the largest maps take most of the time
FEW = 5_000  # training pictures, below which the critic's pictures are varied

if TYPE_CHECKING:
    from ilk.engines.gan.engine import GanEngine


class SampleSettings(Record, frozen=True):
    """What can be set about drawing samples."""

    temperature: Annotated[
        float, Meta(gt=0, le=4, description="spread of the noise: below 1 safer and more alike, above 1 wilder")
    ] = 1.0


class Gan(Record, frozen=True):
    """Settings of the adversarial pair: a generator makes, a critic tells real from made."""

    Sample: ClassVar[type[SampleSettings]] = SampleSettings

    width: Annotated[int, Meta(ge=1, le=1024, description="channels at half the picture's resolution")] = 32
    critic_width: Annotated[int, Meta(ge=0, le=1024, description="the same for the critic; 0: as the generator")] = 0
    latent: Annotated[int, Meta(ge=1, le=4096, description="size of the noise vector")] = 64
    batch: Annotated[int, Meta(ge=2, le=65536, description="pictures a step and process")] = 32
    loss: Annotated[Literal["hinge", "logistic"], Meta(description="the adversarial loss")] = "hinge"
    rate: Annotated[float, Meta(gt=0, description="Adam's learning rate of the generator at the start")] = 16e-4
    critic_rate: Annotated[float, Meta(gt=0, description="the critic's learning rate, as a multiple of it")] = 1.0
    beta1: Annotated[float, Meta(ge=0, lt=1, description="Adam's memory of the gradient")] = 0.0
    beta2: Annotated[float, Meta(ge=0, lt=1, description="Adam's memory of its square")] = 0.99
    ema: Annotated[float, Meta(ge=0, description="half-life of the average, as a share of the steps so far")] = 0.05
    norm: Annotated[Literal["batch", "none"], Meta(description="normalisation in the generator")] = "batch"
    augment: Annotated[
        float, Meta(ge=0, le=1, description="most that the critic's pictures are varied; it adapts; 0: never")
    ] = 0.0
    passes: Annotated[
        int, Meta(ge=0, description="most passes over the pictures in a fit by minutes: more would copy them; 0: any")
    ] = 480
    classify: Annotated[
        float, Meta(ge=0, description="weight of telling the labels apart, beside telling real from made")
    ] = 0.2
    conditional: Annotated[bool, Meta(description="learn the labels where there are any")] = True

    @property
    def name(self) -> str:
        """The engine's name."""
        return "gan"

    def build(self, space: Space, conditions: Mapping[str, Condition], plan: Plan) -> GanEngine:
        """The engine for a Grid.

        Raises:
            InputError: another Space, or pictures below 4 x 4.
        """
        grid = as_grid(space, self.name)
        from ilk.engines.gan.engine import GanEngine

        return GanEngine(self, grid, conditions, plan)


def default_settings(space: Grid, *, conditions_present: bool, count: int, plan: Plan) -> Gan:
    """The settings that win for this budget.

    Args:
        space: channels and size of the pictures.
        conditions_present: whether the data has labels; they are worth more than any other setting.
        count: number of training pictures.
        plan: the budget in seconds or steps, the size that was asked for, and the device.
    """
    # "small" and "large" halve and double what the budget chose.
    factor = {"small": 0.5, "medium": 1.0, "large": 2.0, None: 1.0}[plan.size]
    if plan.device.startswith("cuda"):
        # Not measured here but inferred from published recipes: a GPU idles on batches of 32, and in hours it
        # carries a net that two cores cannot. A calmer rate, for there are steps enough.
        batch = min(128, max(2, count))
        # In hours a critic of few pictures learns them by heart, so that what it is shown is varied as far as that
        # needs. In minutes of a CPU that lost every time (100 sneakers, 3,068 photographs): there `passes` ends it.
        augment = 1.0 if count < FEW else 0.0
        return Gan(
            width=int(96 * factor), latent=128, batch=batch, rate=8e-4, augment=augment, conditional=conditions_present
        )
    # 32 pictures for each thread: two threads that halve a batch of 32 make 1.3 times one's pictures a second, with
    # 64 they make 1.8 times as many and learn more in the same time.
    # Above 64 px the largest maps take most of the time: half as wide, in slices of 16, there are three times as many
    # steps, and shapes come of steps (photographs at 128 px, 10 minutes of two cores: 4,700 against 1,400).
    large = max(space.height, space.width) > LARGE
    batch = min((16 if large else 32) * min(plan.threads, 4), max(2, count))
    # Measured at 28 px: steps come first, and width when there is time for enough of them. One core makes
    # about 55 steps of 32 pictures and w 32 a second at 28 px, fewer in proportion to the pixels.
    steps = plan.steps or (plan.core_seconds or 60.0) * 55 * 28**2 / (space.height * space.width)
    width = 32 if steps < 8_000 else 48 if steps < 60_000 else 64
    return Gan(width=int(width * factor / (2 if large else 1)), batch=batch, conditional=conditions_present)
