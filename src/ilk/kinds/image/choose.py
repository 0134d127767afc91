"""Which square grid fits the data and the budget: resolution, channels, classes.

The choice reads headers and decodes at most ``MOST_LOOKS`` pictures. The result is an ``ImageCodec``;
how pixels are made is its business and ``pixels.py``'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ilk.core.errors import Code, InputError, UnreadableError
from ilk.core.files import natural
from ilk.core.plan import Plan
from ilk.core.protocol import LABEL, Base, Example
from ilk.kinds.image.codec import ImageCodec
from ilk.kinds.image.options import SIZES, Fit, Options
from ilk.kinds.image.picture import size_of
from ilk.kinds.image.pixels import square

FEWEST = 8
"""Pictures that a fit takes at the least. Fewer say nothing about what they have in common."""
MOST_LOOKS = 64
MOST_CLASSES = 10_000
_LOOK_SIDE = 128

# The largest side that is worth learning in a budget: a pixel less that is learnt well beats one more
# that is not. Doubling the side costs four times the time a step and needs more steps.
# (From this budget on, the side), in seconds of one core: 3 minutes on two cores give 32 pixels,
# 8 minutes give 64, hours give 128.
CPU_SIDES = ((0, 32), (600, 48), (840, 64), (3_600, 96), (12_000, 128))
# In seconds of a GPU, on which 64 pixels cost about what 32 cost on two cores in the same time.
CUDA_SIDES = ((0, 64), (120, 128), (14_400, 256))
# A budget in steps says nothing about time; these sides keep a step short on the device.
STEP_SIDES = {"cpu": 32, "cuda": 64}

_GREY_MODES = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L", "I;16N")


def fit_codec(examples: Iterable[Example], options: Options, plan: Plan, base: Base | None = None) -> ImageCodec:  # noqa: ARG001  (pictures start from none)
    """The codec for these pictures.

    Raises:
        InputError: fewer than ``FEWEST`` pictures (one less passes: a holdout may have taken it).
    """
    known = list(examples)
    if len(known) < FEWEST - 1:
        found = "1 picture is" if len(known) == 1 else f"{len(known)} pictures are"
        raise InputError(Code.TOO_FEW, f"{found} too few to learn from; give at least {FEWEST} that can be read.")
    side = options.resolution or choose_side([size_of(example.object) for example in known], options.fit, plan)
    channels = {"auto": 0, "grey": 1, "rgb": 3}[options.color] or choose_channels([e.object for e in known])
    condition, levels, counts = choose_classes(known)
    return ImageCodec(
        side=side,
        channels=channels,
        fit=options.fit,
        count=len(known),
        condition=condition,
        classes=levels,
        counts=counts,
    )


def choose_side(sizes: Sequence[tuple[int, int]], fit: Fit, plan: Plan) -> int:
    """The side that data and budget allow: never more pixels than three of four pictures have.

    Args:
        sizes: width and height of each picture.
        fit: padding keeps the long side, the others the short one.
        plan: the budget and the device.
    """
    sides = np.asarray(sizes).max(axis=1) if fit == "pad" else np.asarray(sizes).min(axis=1)
    most = min(float(np.quantile(sides, 0.25)), affordable_side(plan))
    return max([size for size in SIZES if size <= most], default=SIZES[0])


def affordable_side(plan: Plan) -> int:
    """The largest side that is worth learning in the budget."""
    device = "cuda" if plan.device.startswith("cuda") else "cpu"
    if plan.core_seconds is None:
        return STEP_SIDES[device]
    table, spent = (CUDA_SIDES, plan.seconds or 0.0) if device == "cuda" else (CPU_SIDES, plan.core_seconds)
    return max(side for start, side in table if spent >= start)


def choose_channels(items: Sequence[Any]) -> int:
    """1 if no picture has colour, otherwise 3; of those that could have colour a few are decoded."""
    maybe = [item for item in items if item.mode not in _GREY_MODES]
    step = max(1, -(-len(maybe) // MOST_LOOKS))
    return 1 if all(_looks_grey(item) for item in maybe[::step]) else 3


def choose_classes(examples: Sequence[Example]) -> tuple[str, tuple[str, ...], tuple[int, ...]]:
    """What the classes are called, their names in natural order and how many pictures each has.

    Where the examples know more than one thing (folders and ``y``), the one that the user named counts.
    No names come back if they are no classes:
    one class for all says nothing, and folders that hold fewer than two pictures on average are an
    archive's order (a day, an identifier), not classes.
    """
    known = sorted({name for example in examples for name in example.given}, key=lambda name: (name == LABEL, name))
    condition = known[0] if known else LABEL
    seen = Counter(str(example.given[condition]) for example in examples if condition in example.given)
    names = sorted(seen, key=natural)
    if not 2 <= len(names) <= min(MOST_CLASSES, len(examples) // 2):
        return LABEL, (), ()
    return condition, tuple(names), tuple(seen[name] for name in names)


def _looks_grey(item: Any) -> bool:
    """Whether a picture, looked at in small, has no colour (JPEG may be off by a little)."""
    try:
        pixels = square(item, min(_LOOK_SIDE, max(size_of(item))), 3, "stretch").astype(np.int16)
    except UnreadableError:  # the codec meets it again and says so
        return True
    return bool((pixels.max(axis=0) - pixels.min(axis=0)).max() <= 8)
