"""From a source to a stream of Examples: folders, zips, globs, lists, PIL images, arrays, ``.npz``, demos.

Only headers are read here; pixels are decoded by the codec, in whichever thread calls it. A file that is
no picture after all comes out as a Problem, and the stream goes on. Of an animation the first frame
counts. Where files lie is found by ``listing.py``, arrays are looked at by ``arrays.py``.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ilk.core.errors import Code, InputError, UnreadableError, suggest
from ilk.core.files import as_path
from ilk.core.protocol import LABEL, Example, Problem
from ilk.kinds.image import arrays, listing
from ilk.kinds.image.formats import SPOKEN, SUFFIXES
from ilk.kinds.image.listing import Entry
from ilk.kinds.image.options import Options
from ilk.kinds.image.picture import Picture
from ilk.kinds.image.recognise import DEMO_PREFIX, DEMOS

Stream = Iterator[Example | Problem]


def read(source: Any, options: Options) -> Stream:  # noqa: ARG001  (the contract's; no option changes what is read)
    """Stream the pictures of a source, always in the same order.

    Raises:
        InputError: at once, if the source is missing, empty or nothing that holds pictures.
    """
    if isinstance(source, str) and source.startswith(DEMO_PREFIX):
        return arrays.read_npz(demo_path(source))
    if hasattr(source, "dtype") and hasattr(source, "ndim"):
        return arrays.read_array(source)
    if isinstance(source, list | tuple):
        return _read_list(source)
    path = as_path(source)
    if path is None:
        raise InputError(Code.SOURCE_UNKNOWN, f"Pictures cannot be read from a {type(source).__name__}.")
    if path.suffix.lower() == ".npz" and path.is_file():
        return arrays.read_npz(path)
    entries = list_files(path)
    return _examples(entries, listing.classes(entries))


def list_files(path: Path) -> list[Entry]:
    """The picture files that a path means: in a folder, in a zip, matching a pattern, or the file itself.

    Raises:
        InputError: there is nothing, or nothing that is a picture.
    """
    if path.is_dir():
        return listing.list_folder(path)
    if path.is_file():
        if path.suffix.lower() == ".zip":
            return listing.list_zip(path)
        if path.suffix.lower() in SUFFIXES:
            return [Entry(path.name, path)]
        raise InputError(Code.SOURCE_UNKNOWN, f"{path} is no picture; ilk reads {SPOKEN}, folders and zips of them.")
    if glob.has_magic(str(path)):
        return listing.list_glob(str(path))
    raise InputError(Code.SOURCE_MISSING, f'There is no file or folder "{path}".')


def demo_path(source: str) -> Path:
    """The file of a bundled demo, ``demo:NAME``.

    Raises:
        InputError: there is no demo of that name.
    """
    name = source.removeprefix(DEMO_PREFIX)
    if name not in DEMOS:
        raise InputError(Code.SOURCE_MISSING, f'There is no demo "{name}" of pictures; {suggest(name, DEMOS)}.')
    return Path(__file__).parent / "demo" / f"{name}.npz"


def _read_list(items: Sequence[Any]) -> Stream:
    if not items:
        raise InputError(Code.SOURCE_MISSING, "The list is empty; give paths or PIL images.")
    if all(as_path(item) is not None for item in items):
        entries = listing.list_paths(items)
        return _examples(entries, [None] * len(entries))
    for place, item in enumerate(items):
        if not hasattr(item, "getexif"):
            raise InputError(
                Code.SOURCE_UNKNOWN,
                f"Item {place} of the list is a {type(item).__name__}; give paths alone or PIL images alone.",
            )
    return (Example(object=image, name=f"picture {place}") for place, image in enumerate(items))


def _examples(entries: Sequence[Entry], classes: Sequence[str | None]) -> Stream:
    for entry, level in zip(entries, classes, strict=True):
        opener: Callable[[], Any] = entry.open
        try:
            picture = Picture(entry.name, opener)
        except UnreadableError as error:
            yield Problem(name=entry.name, reason=error.sentence.partition("cannot be read: ")[2].rstrip("."))
            continue
        yield Example(object=picture, name=entry.name, given={} if level is None else {LABEL: level})
