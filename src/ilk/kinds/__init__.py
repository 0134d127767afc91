"""Kinds know what the objects are: one folder each, the same file names in all, none imports another."""
