"""Pictures in arrays: numpy uint8 in memory, and ``.npz`` files with ``images`` and perhaps ``labels``.

Nothing here is unpickled. An ``.npz`` that was stored without compression is mapped, not loaded.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ilk.core.errors import Code, InputError
from ilk.core.protocol import LABEL, Example
from ilk.kinds.image.picture import ArrayPicture

MOST_BYTES = 2**34
"""A compressed array must fit into memory; 16 GB is taken for a mistake or an attack."""


def read_array(images: Any, levels: Sequence[str] | None = None) -> Iterator[Example]:
    """Examples of an array N x H x W [x C], uint8, C of 1 to 4, without copying it.

    Raises:
        InputError: it has another shape or type.
    """
    checked = _check(np.asarray(images) if not isinstance(images, np.ndarray) else images, "The array")
    return _examples(checked, levels)


def read_npz(path: Path) -> Iterator[Example]:
    """Examples of an ``.npz``: ``images``, and where there are ``labels`` their names as class.

    ``labels`` are N integers or strings; with ``names`` the integers count into it.

    Raises:
        InputError: it cannot be read, or its arrays do not fit together.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if "images" not in members:
                found = ", ".join(sorted(members)[:8]) or "nothing"
                raise InputError(Code.SOURCE_UNKNOWN, f'{path} holds no array "images" but {found}.')
            loaded = {name: _load(path, archive, members[name]) for name in ("labels", "names") if name in members}
            images = _check(_load(path, archive, members["images"]), f"images of {path}")
    # Python's own way to say that a zip is encrypted, or packed in a way that it cannot read, is RuntimeError.
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(Code.SOURCE_MISSING, f"{path} cannot be read: {error}.") from None
    levels = _levels(loaded.get("labels"), loaded.get("names"), len(images), path)
    return _examples(images, levels)


def _examples(images: npt.NDArray[np.uint8], levels: Sequence[str] | None) -> Iterator[Example]:
    for place, pixels in enumerate(images):
        name = f"picture {place}"
        given = {} if levels is None else {LABEL: levels[place]}
        yield Example(object=ArrayPicture(name, pixels), name=name, given=given)


def _check(images: npt.NDArray[Any], what: str) -> npt.NDArray[np.uint8]:
    shape = " x ".join(str(length) for length in images.shape)
    if images.dtype != np.uint8:
        raise InputError(Code.SOURCE_UNKNOWN, f"{what} must hold uint8 from 0 to 255, not {images.dtype}.")
    if images.ndim not in (3, 4):
        raise InputError(Code.SOURCE_UNKNOWN, f"{what} must be N x H x W or N x H x W x C, not {shape}.")
    if 0 in images.shape:
        raise InputError(Code.SOURCE_MISSING, f"{what} is empty ({shape}).")
    if images.ndim == 3 and images.shape[2] <= 4:
        raise InputError(Code.SOURCE_UNKNOWN, f"{what} is one picture ({shape}); give many, N x H x W x C.")
    if images.ndim == 4 and images.shape[3] > 4:
        raise InputError(Code.SOURCE_UNKNOWN, f"{what} must have its colours last, N x H x W x C, not {shape}.")
    return images


def _load(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> npt.NDArray[Any]:
    """One array of an ``.npz``: mapped where it lies there uncompressed, otherwise loaded."""
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(member)
        header = member.tell()
        size = int(np.prod(shape, dtype=np.float64)) * dtype.itemsize
        if dtype.hasobject or size > info.file_size - header or size > MOST_BYTES:
            raise ValueError(f"its array {info.filename} is damaged or unsafe")
        if info.compress_type != zipfile.ZIP_STORED or not size:
            pixels = np.frombuffer(member.read(size), dtype)
            return pixels.reshape(shape, order="F" if fortran else "C")
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = np.frombuffer(file.read(4), "<u2")  # of the local file name and of the extra field
    start = info.header_offset + 30 + int(lengths.sum()) + header
    mapped: npt.NDArray[Any] = np.memmap(path, dtype, "r", start, shape, order="F" if fortran else "C")
    return mapped.view(np.ndarray)


def _levels(labels: Any, names: Any, count: int, path: Path) -> list[str] | None:
    """The class of each picture in words."""
    if labels is None:
        return None
    if labels.shape != (count,) or labels.dtype.kind not in "biuU":
        raise InputError(Code.SOURCE_UNKNOWN, f"labels of {path} must be {count:,} integers or strings.")
    if names is None or labels.dtype.kind == "U":
        return [str(label) for label in labels]
    if names.ndim != 1 or names.dtype.kind != "U" or labels.min() < 0 or labels.max() >= len(names):
        raise InputError(Code.SOURCE_UNKNOWN, f"labels of {path} must count into its names, 0 to {len(names) - 1}.")
    return [str(names[label]) for label in labels]
