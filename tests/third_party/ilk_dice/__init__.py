"""Throws of dice as an ilk kind: a third party's package, discovered by its entry points alone.

``kind.py`` reads ``.dice`` files, ``space.py`` says what a throw is to an engine, ``settings.py`` and
``engine.py`` learn it. It imports from ``ilk.core`` and ``ilk.engines.common``, and ilk never imports it.
"""
