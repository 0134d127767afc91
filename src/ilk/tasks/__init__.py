"""The applications: thin tasks over the public ``Generator``, a folder each.

    augment/    more training data, or not: what helps a model, decided by cross-validation

A task may know kinds by name; whatever it makes, it makes as a user of ``ilk.Generator`` would.
"""
