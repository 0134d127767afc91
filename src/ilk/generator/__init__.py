"""Where kind, engine and seal meet: fit, sample, save, load. The only place that knows all of them.

``estimator.py`` is the public class (with ``sampling.py``, ``completing.py``, ``scoring.py``, ``streaming.py``);
``fitting.py`` turns a source into a model, ``model.py`` is the fitted model and its folder, ``output.py`` writes sealed
samples, ``origin.py`` finds out where a file comes from.
"""

from __future__ import annotations

from ilk.generator.estimator import Generator, load

__all__ = ["Generator", "load"]
