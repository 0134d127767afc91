"""Whether a source looks like pictures: from names and first bytes, a bounded look, no image library.

What is recognised here is read by ``read.py``. The answer is the share of what was looked at that are
pictures, so that another kind can win a mixed folder.
"""

from __future__ import annotations

import glob
import os
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

from ilk.kinds.image.formats import SUFFIXES, is_litter, suffix
from ilk.kinds.image.listing import as_path, matches

DEMO_PREFIX = "demo:"
DEMOS = {"fashion": "12,000 grey pictures of clothes, 28 x 28, ten classes (Fashion-MNIST, MIT licence)"}
MOST_LOOKS = 1000
_DEPTH = 3


def recognise(source: Any) -> float:
    """0 (certainly no pictures) to 1 (certainly pictures)."""
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        return 1.0 if source.removeprefix(DEMO_PREFIX) in DEMOS else 0.0
    if isinstance(source, list | tuple):
        return _share(_in_list(item) for item in islice(source, MOST_LOOKS))
    if hasattr(source, "dtype") and hasattr(source, "ndim"):
        return 1.0 if str(source.dtype) == "uint8" and source.ndim in (3, 4) else 0.0
    path = as_path(source)
    if path is None:
        return 0.0
    try:
        return _path(path)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):  # unreadable: reading will say why
        return 0.0


def _path(path: Path) -> float:
    if path.is_dir():
        return _share(islice(_names(path), MOST_LOOKS))
    if path.is_file():
        return _file(path)
    if glob.has_magic(str(path)):
        found = islice(matches(str(path)), MOST_LOOKS)
        return _share(match.name for match in found if match.suffix or not match.is_dir())
    return 0.0


def _file(path: Path) -> float:
    tail = path.suffix.lower()
    if tail in SUFFIXES:
        return 1.0
    if tail not in (".zip", ".npz"):
        return 0.0
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if tail == ".npz":
        return 1.0 if "images.npy" in names else 0.0
    visible = (n for n in names if not n.endswith("/") and not any(is_litter(part) for part in n.split("/")))
    return _share(islice(visible, MOST_LOOKS))


def _names(folder: Path, depth: int = _DEPTH) -> Any:
    """File names in a folder and a few levels below, files before folders, links to folders not followed."""
    below = []
    with os.scandir(folder) as found:
        for item in islice(found, MOST_LOOKS):
            if is_litter(item.name):
                continue
            if item.is_dir(follow_symlinks=False):
                below.append(Path(item.path))
            else:
                yield item.name
    if depth > 1:
        for place in sorted(below):
            yield from _names(place, depth - 1)


def _in_list(item: Any) -> str:
    """A name that ``_share`` counts: PIL images and paths count by what they are."""
    if any(kind.__module__ == "PIL.Image" for kind in type(item).__mro__):
        return "image.png"
    path = as_path(item)
    return "" if path is None else str(path)


def _share(names: Any) -> float:
    seen = [suffix(name) in SUFFIXES for name in names]
    return sum(seen) / len(seen) if seen else 0.0
