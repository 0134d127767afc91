"""What can be set about the engine ``faces``. Does not import torch; ``Faces.build`` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta

from ilk.core.config import Record
from ilk.core.errors import Code, InputError
from ilk.core.plan import Plan
from ilk.core.protocol import Condition
from ilk.core.spaces import Space
from ilk_dice.space import Throws

if TYPE_CHECKING:
    from ilk_dice.engine import FacesEngine


class SampleFaces(Record, frozen=True):
    """What can be set about drawing throws."""

    temperature: Annotated[float, Meta(gt=0, le=10, description="below 1 the likely faces come more often")] = 1.0


class Faces(Record, frozen=True):
    """Settings of the engine that learns each face given those before it."""

    Sample: ClassVar[type[SampleFaces]] = SampleFaces

    rate: Annotated[float, Meta(gt=0, le=10, description="Adam's learning rate at the start")] = 0.05
    batch: Annotated[int, Meta(ge=1, description="throws a step and process")] = 16

    @property
    def name(self) -> str:
        """The engine's name."""
        return "faces"

    def build(self, space: Space, conditions: Mapping[str, Condition], plan: Plan) -> FacesEngine:
        """The engine for Throws.

        Raises:
            InputError: another Space.
        """
        if not isinstance(space, Throws):
            raise InputError(Code.OPTION, f"The faces engine learns throws, not {type(space).__name__}.")
        from ilk_dice.engine import FacesEngine

        return FacesEngine(self, space, conditions, plan)
