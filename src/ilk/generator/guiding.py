"""Where a kind's sampling options steer rows on their way: found at the codec, told to the engine, finished after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ilk.core.protocol import Codec, Given
from ilk.core.sequences import Guide, Guiding


def find_guide(codec: Codec, options: Any, given: Mapping[str, Any]) -> Guide | None:
    """The guide that a kind's sampling options ask for, or None.

    Raises:
        InputError: what they ask for cannot be met.
    """
    return codec.guide(options, given) if isinstance(codec, Guiding) else None


def guided(codec: Codec, given: Mapping[str, Any], n: int, guide: Guide | None) -> Given:
    """Conditions in terms of the Space, and the guide with them."""
    encoded = codec.encode_given(given, n)
    encoded.guide = guide
    return encoded


def finished(objects: Sequence[Any], guide: Guide | None) -> Sequence[Any]:
    """What the user gets of decoded objects."""
    return objects if guide is None else [guide.finish(each) for each in objects]
