"""Engines: each learns a distribution over a Space and knows no kind. One folder each; see its README."""
