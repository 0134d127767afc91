"""What can be set about the mixture. This file does not import torch: ``Mixture.build`` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from ilk.core.config import Record
from ilk.core.plan import Plan
from ilk.core.protocol import Condition
from ilk.core.spaces import Grid, Space
from ilk.engines.common.inputs import as_grid

if TYPE_CHECKING:
    from ilk.engines.mixture.engine import MixtureEngine


SKETCHED = 2**24  # numbers that a sketch looks at: 10,000 grey pictures of 40 px, 1,365 of 64 px in colour


class SampleSettings(Record, frozen=True):
    """What can be set about drawing samples."""

    temperature: Annotated[
        float, Meta(gt=0, le=4, description="spread around the Gaussians' means: below 1 safer and more alike")
    ] = 1.0
    noise: Annotated[
        float, Meta(ge=0, le=1, description="share of what the components leave out that comes as white noise")
    ] = 0.0


class Mixture(Record, frozen=True):
    """Settings of the mixture of Gaussians in principal components: learned in seconds, blurred, a floor to beat."""

    Sample: ClassVar[type[SampleSettings]] = SampleSettings

    components: Annotated[int, Meta(ge=1, le=1024, description="principal components that are modelled")] = 160
    gaussians: Annotated[int, Meta(ge=1, le=1024, description="Gaussians, shared out evenly among the classes")] = 60
    examples: Annotated[int, Meta(ge=1, le=10**7, description="examples that it looks at, at the most")] = 20_000
    rounds: Annotated[int, Meta(ge=1, le=10_000, description="rounds of EM where the budget is in minutes")] = 5
    shrink: Annotated[
        float, Meta(ge=0, le=1e6, description="how many examples the covariance that all share counts for")
    ] = 5.0
    conditional: Annotated[bool, Meta(description="learn the labels where there are any")] = True

    @property
    def name(self) -> str:
        """The engine's name."""
        return "mixture"

    def build(self, space: Space, conditions: Mapping[str, Condition], plan: Plan) -> MixtureEngine:
        """The engine for a Grid.

        Raises:
            InputError: another Space.
        """
        grid = as_grid(space, self.name)
        from ilk.engines.mixture.engine import MixtureEngine

        return MixtureEngine(self, grid, conditions, plan)


def sketch_settings(space: Grid) -> Mixture:
    """Settings for a first look: fewer examples, so that even large pictures take a second or two of a core."""
    values = space.channels * space.height * space.width
    return Mixture(examples=min(10_000, max(500, SKETCHED // values)))
