"""Sequential trees over ``Columns``: a table's columns one after the other, each given the ones before."""

from ilk.engines.columns.settings import SampleSettings, Trees, default_settings

__all__ = ["SampleSettings", "Trees", "default_settings"]
