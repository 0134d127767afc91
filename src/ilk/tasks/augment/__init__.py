"""More training data, or not: compares what may help a model and says which does, if any.

    estimator.py    ``Augmenter``, a sampler as imbalanced-learn knows them; begin there
    compare.py      inner cross-validation: every candidate on the same folds, generators fitted inside of them
    candidates.py   what is compared, and how it turns training rows into predictions
    metrics.py      what predictions are worth, with the noise of it
    decide.py       which candidate wins, and by how much it has to
    words.py        the answer in a sentence
    advised.py      the user's model as it was decided: refitted, recalibrated, with another threshold
    labels.py       what a label must be
    material.py     what may be augmented: the interface; ``tables.py``, ``pictures.py`` are it
    source.py       the same for files: what ``ilk augment`` reads and writes (``table_file.py``, ``picture_files.py``)

Nothing here prints, and nothing is imported before it is used.
"""
