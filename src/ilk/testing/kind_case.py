"""What the checks of a kind look at: the kind, its source, and what was read and fitted from it, once."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from ilk.core.plan import Plan
from ilk.core.protocol import Arrays, Codec, Example, Kind
from ilk.testing.suite import Case

MOST = 64  # examples that the checks look at


class KindCase(Case):
    """A kind and a source that it reads.

    Attributes:
        kind: the kind under test.
        source: at least 12 readable examples of it.
        options: the kind's options record.
    """

    def __init__(self, kind: Kind, source: Any, options: Any = None) -> None:
        self.kind = kind
        self.source = source
        self.options = kind.Options() if options is None else options
        self.plan = Plan(steps=10)

    @cached_property
    def examples(self) -> list[Example]:
        """The first examples of the source."""
        found = (item for item in self.kind.read(self.source, self.options) if isinstance(item, Example))
        examples = list(islice(found, MOST))
        assert len(examples) >= 12, f"a suite needs a source of at least 12 examples, not {len(examples)}"
        return examples

    @cached_property
    def codec(self) -> Codec:
        """A codec fitted on the examples."""
        return self.kind.fit_codec(iter(self.examples), self.options, self.plan, None)

    @cached_property
    def arrays(self) -> Arrays:
        """The examples as stored arrays."""
        return self.codec.encode(self.examples)

    @cached_property
    def objects(self) -> Sequence[Any]:
        """The examples as the kind hands out its samples."""
        return self.codec.decode(self.codec.to_space(self.arrays))

    @property
    def path(self) -> Path | None:
        """The source, where it is a path on disk."""
        if isinstance(self.source, str | Path) and Path(self.source).exists():
            return Path(self.source)
        return None

    def address(self) -> tuple[str, str] | None:
        """Module and name under which a fresh process finds the kind; None if there is none."""
        module = type(self.kind).__module__
        for name, value in vars(sys.modules.get(module, object)).items():
            if value is self.kind:
                return module, name
        return None

    def suffix(self) -> str:
        """The suffix of the kind's own files, with its dot."""
        return "." + self.kind.formats[0].suffix.lstrip(".")
