"""Whether a source looks like pictures: from names and first bytes, a bounded look, no image library.

What is recognised here is read by ``read.py``. The answer is the share of what was looked at that are
pictures, so that another kind can win a mixed folder.
"""

from __future__ import annotations

import glob
import zipfile
from itertools import islice
from pathlib import Path
from typing import Any

from ilk.core import files
from ilk.kinds.image.formats import SUFFIXES

DEMO_PREFIX = "demo:"
DEMOS = {"fashion": "12,000 grey pictures of clothes, 28 x 28, ten classes (Fashion-MNIST, MIT licence)"}


def recognise(source: Any) -> float:
    """0 (certainly no pictures) to 1 (certainly pictures)."""
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        return 1.0 if source.removeprefix(DEMO_PREFIX) in DEMOS else 0.0
    if isinstance(source, list | tuple):
        return files.share(map(_in_list, source), _is_picture)
    if hasattr(source, "dtype") and hasattr(source, "ndim"):
        return 1.0 if str(source.dtype) == "uint8" and source.ndim in (3, 4) else 0.0
    path = files.as_path(source)
    if path is None:
        return 0.0
    try:
        return _path(path)
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):  # unreadable: reading will say why
        return 0.0


def _path(path: Path) -> float:
    if path.is_dir():
        return files.share(files.glance(path), _is_picture)
    if path.is_file():
        return _file(path)
    if glob.has_magic(str(path)):
        found = islice(files.matches(str(path)), files.MOST_LOOKS)
        return files.share((match.name for match in found if match.suffix or not match.is_dir()), _is_picture)
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
    visible = (n for n in names if not n.endswith("/") and not any(files.is_litter(part) for part in n.split("/")))
    return files.share(visible, _is_picture)


def _in_list(item: Any) -> str:
    """A name that ``_share`` counts: PIL images and paths count by what they are."""
    if any(kind.__module__ == "PIL.Image" for kind in type(item).__mro__):
        return "image.png"
    path = files.as_path(item)
    return "" if path is None else str(path)


def _is_picture(name: str) -> bool:
    return files.suffix(name) in SUFFIXES
