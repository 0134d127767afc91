"""What a seal says about a sample: the ``Claim``, and how a claim that somebody else wrote is read.

A claim names the model by fingerprint, the call that sampled, the seed and the index, so that the
maker can recall the sample. It deliberately knows no prompt, no path, no user and no training file.
How a claim is bound to bytes: ``c2pa.py`` (inside a file), ``sidecar.py`` (beside it),
``manifest.py`` (a whole folder).
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from ilk.core.config import Record

_IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"
TRAINED = _IPTC + "trainedAlgorithmicMedia"
COMPOSITE = _IPTC + "compositeWithTrainedAlgorithmicMedia"
SYNTHETIC = frozenset({TRAINED, COMPOSITE, _IPTC + "algorithmicMedia", _IPTC + "compositeSynthetic"})

_TEXT = ("ilk", "kind", "model", "call", "time", "source_type")
_NUMBERS = ("seed", "index")


def now() -> str:
    """This second, as a seal writes it: ``2026-11-24T10:00:00Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_call() -> str:
    """A fresh id for one sampling call."""
    return secrets.token_hex(6)


class Claim(Record, frozen=True):
    """What is sealed about one sample, or (without an index) about a whole sampling call."""

    ilk: str  # version that sampled
    kind: str
    model: str  # fingerprint of the model folder, hex
    seed: int | None = None
    index: int | None = None
    call: str = msgspec.field(default_factory=new_call)
    time: str = msgspec.field(default_factory=now)  # by this machine's clock: a claim, not a proof
    source_type: str = TRAINED  # IPTC digitalSourceType

    def at(self, index: int | None) -> Claim:
        """The same call's claim about its sample ``index``."""
        return msgspec.structs.replace(self, index=index)

    def fields(self) -> dict[str, Any]:
        """The fields that are set, as plain values."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not None}


def read_claim(values: Any) -> dict[str, Any]:
    """A claim out of a seal, hostile until shown otherwise: known fields of the right type, cleaned.

    A newer ilk may claim more than this one knows; what is unknown is dropped.
    """
    if not isinstance(values, Mapping):
        return {}
    claim: dict[str, Any] = {}
    for name in _TEXT:
        if isinstance(value := values.get(name), str):
            claim[name] = clean(value)
    for name in _NUMBERS:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64:
            claim[name] = value
    return claim


def clean(text: str, limit: int = 200) -> str:
    r"""Text that is safe to show: no control, format (bidi) or surrogate characters, and not endless.

    >>> clean("mine\x1b[31m")
    'mine[31m'
    """
    head = text[: 4 * limit]
    kept = "".join(c for c in head if unicodedata.category(c)[0] != "C")
    return kept if len(kept) <= limit and len(text) == len(head) else kept[:limit] + "…"


def short(fingerprint: str) -> str:
    """A fingerprint as people read it aloud.

    >>> short("3f2a9c0177de4b10aa")
    '3f2a 9c01 77de 4b10'
    """
    return " ".join(fingerprint[i : i + 4] for i in range(0, 16, 4))
