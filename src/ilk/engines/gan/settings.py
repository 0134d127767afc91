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
from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Condition
from ilk.core.spaces import Grid, Space

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

    width: Annotated[int, Meta(ge=1, description="channels at half the picture's resolution")] = 32
    critic_width: Annotated[int, Meta(ge=0, description="the same for the critic; 0: as the generator")] = 0
    latent: Annotated[int, Meta(ge=1, description="size of the noise vector")] = 64
    batch: Annotated[int, Meta(ge=2, description="pictures a step and process")] = 32
    loss: Annotated[Literal["hinge", "logistic"], Meta(description="the adversarial loss")] = "hinge"
    rate: Annotated[float, Meta(gt=0, description="Adam's learning rate of the generator at the start")] = 8e-4
    critic_rate: Annotated[float, Meta(gt=0, description="the critic's learning rate, as a multiple of it")] = 1.0
    rate_floor: Annotated[float, Meta(ge=0, le=1, description="share of the rate that is left at the end")] = 0.1
    beta1: Annotated[float, Meta(ge=0, lt=1, description="Adam's memory of the gradient")] = 0.0
    beta2: Annotated[float, Meta(ge=0, lt=1, description="Adam's memory of its square")] = 0.9
    ema: Annotated[float, Meta(ge=0, description="half-life of the average, as a share of the steps so far")] = 0.05
    norm: Annotated[Literal["batch", "none"], Meta(description="normalisation in the generator")] = "batch"
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
        if not isinstance(space, Grid):
            raise InputError(Code.OPTION, f"The gan engine learns grids such as pictures, not {type(space).__name__}.")
        from ilk.engines.gan.engine import GanEngine

        return GanEngine(self, space, conditions, plan)


def default_settings(space: Grid, *, conditions_present: bool, count: int, plan: Plan) -> Gan:
    """The settings that win for this budget.

    Args:
        space: channels and size of the pictures.
        conditions_present: whether the data has labels.
        count: number of training pictures.
        plan: the budget in seconds or steps, the size that was asked for, and the device.
    """
    if plan.device.startswith("cuda"):
        # Inferred from published recipes, not measured here: a GPU is idle on batches of 32, and hours of
        # it carry a net that two cores cannot. Larger batches want a smaller rate for the same progress.
        return Gan(width=_sized(plan, 96), batch=128, rate=4e-4, latent=128, conditional=conditions_present)
    return Gan(
        width=_sized(plan, _width(space, plan)),
        batch=min(32, max(2, count)),
        conditional=conditions_present,
    )


def _width(space: Grid, plan: Plan) -> int:
    """Channels for a budget on a CPU: steps first, width when there is time for enough of them.

    Measured at 28 px: w 32 wins at 60 core-seconds, w 48 at 240. The work of a step grows with the
    number of pixels, so a larger picture has its steps later.
    """
    pixels = space.height * space.width / 32**2
    if plan.core_seconds is not None:
        budget = plan.core_seconds / pixels
    else:
        budget = (plan.steps or 1) / 60 / pixels  # w 32 makes about 60 steps a core-second at 32 px
    if budget < 10:
        return 24
    if budget < 150:
        return 32
    return 48 if budget < 1200 else 64


def _sized(plan: Plan, width: int) -> int:
    """``--size`` halves or doubles what the budget chose."""
    factor = {"small": 0.5, "medium": 1.0, "large": 2.0, None: 1.0}[plan.size]
    return max(8, int(width * factor))
