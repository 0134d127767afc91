"""Where a kind's sampling options steer rows on their way: found at the codec, told to the engine, finished after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ilk.core.conditions import Evenly
from ilk.core.protocol import Array, Codec, Given
from ilk.core.sequences import Guide, Guiding


def find_guide(codec: Codec, options: Any, given: Mapping[str, Any]) -> Guide | None:
    """The guide that a kind's sampling options ask for, or None.

    Raises:
        InputError: what they ask for cannot be met.
    """
    return codec.guide(options, given) if isinstance(codec, Guiding) else None


def guided(codec: Codec, given: Mapping[str, Any], samples: Array, guide: Guide | None) -> Given:
    """Conditions of samples (N,) in terms of the Space, and the guide with them."""
    encoded = _encoded(codec, given, samples)
    encoded.guide = guide
    return encoded


def _encoded(codec: Codec, given: Mapping[str, Any], samples: Array) -> Given:
    """What is asked for evenly depends on which sample a row is."""
    evenly = {name: value.levels for name, value in given.items() if isinstance(value, Evenly)}
    if not evenly:
        return codec.encode_given(given, len(samples))
    levels = np.stack([samples % len(names) for names in evenly.values()], axis=1)
    found, which_N = np.unique(levels, axis=0, return_inverse=True)
    order, parts = np.argsort(which_N.reshape(-1), kind="stable"), list[Given]()
    for level, count in zip(found.tolist(), np.bincount(which_N.reshape(-1)).tolist(), strict=True):
        own = {name: names[place] for (name, names), place in zip(evenly.items(), level, strict=True)}
        parts.append(codec.encode_given({**given, **own}, count))
    return Given.joined(parts).rows(np.argsort(order, kind="stable"))


def finished(objects: Sequence[Any], guide: Guide | None) -> Sequence[Any]:
    """What the user gets of decoded objects."""
    return objects if guide is None else [guide.finish(each) for each in objects]
