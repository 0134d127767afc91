"""A closed-form mixture of Gaussians for Grids: learns in seconds. Settings only; torch comes with ``build``."""

from ilk.engines.mixture.settings import Mixture, SampleSettings, sketch_settings

__all__ = ["Mixture", "SampleSettings", "sketch_settings"]
