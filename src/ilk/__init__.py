"""Learn a kind from examples, make more of it.

    import ilk
    model = ilk.Generator(minutes=3).fit("photos/")
    model.sample(64).save("out/")

Public names are loaded when they are first used: ``import ilk`` costs neither torch nor pandas.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_PUBLIC = {
    "Augmenter": "ilk.tasks.augment.estimator",
    "Generator": "ilk.generator",
    "load": "ilk.generator",
    "Samples": "ilk.core.samples",
    "IlkError": "ilk.core.errors",
    "InputError": "ilk.core.errors",
    "MachineError": "ilk.core.errors",
    "verify": "ilk.generator.origin",
    "Gan": "ilk.engines.gan",
    "Gpt": "ilk.engines.gpt",
    "Mixture": "ilk.engines.mixture",
    "Trees": "ilk.engines.columns",
}

__all__ = [
    "Augmenter",
    "Gan",
    "Generator",
    "Gpt",
    "IlkError",
    "InputError",
    "MachineError",
    "Mixture",
    "Samples",
    "Trees",
    "__version__",
    "load",
    "verify",
]

if TYPE_CHECKING:
    from ilk.core.errors import IlkError, InputError, MachineError
    from ilk.core.samples import Samples
    from ilk.engines.columns import Trees
    from ilk.engines.gan import Gan
    from ilk.engines.gpt import Gpt
    from ilk.engines.mixture import Mixture
    from ilk.generator import Generator, load
    from ilk.generator.origin import verify
    from ilk.tasks.augment.estimator import Augmenter


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'ilk' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
