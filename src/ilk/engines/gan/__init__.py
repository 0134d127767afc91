"""The adversarial pair for Grids: pictures, spectrograms. Settings only; torch comes with ``build``."""

from ilk.engines.gan.settings import Gan, SampleSettings, default_settings

__all__ = ["Gan", "SampleSettings", "default_settings"]
