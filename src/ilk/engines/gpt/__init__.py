"""A transformer that continues sequences: learns ``Tokens``. What can be set is in ``settings.py``."""

from ilk.engines.gpt.settings import Gpt, SampleSettings, default_settings

__all__ = ["Gpt", "SampleSettings", "default_settings"]
