"""Pictures out of files, their classes the folders they lie in; the made ones go into a folder of their own.

The real pictures are not copied: a folder beside them holds what was made, class by class, and all of it is sealed.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ilk.core.errors import Code, InputError, UnreadableError
from ilk.core.folder import disk_error
from ilk.core.home import ilk_home
from ilk.core.plan import Plan
from ilk.core.protocol import LABEL, Array, Example
from ilk.kinds.image import kind
from ilk.seal.claim import TRAINED
from ilk.seal.sealer import FEW, folder_seal
from ilk.tasks.augment.files import Written, check_readable
from ilk.tasks.augment.labels import Label, read_label
from ilk.tasks.augment.material import Made
from ilk.tasks.augment.pictures import Pictures
from ilk.tasks.augment.seals import MIXED, claim_of


class PictureFiles:
    """Pictures of a folder with a sub-folder a class, or of any source that names classes.

    Args:
        examples: the pictures.
        label: what the classes are called.
        mark: must be None.
        options: the kind's.
        seed: of what is drawn in preparing.

    Raises:
        InputError: they have no classes, or too many cannot be read.
    """

    def __init__(
        self, examples: Sequence[Example], label: str | None, mark: str | None, options: Any, seed: int
    ) -> None:
        if mark is not None:
            raise InputError(
                Code.OPTION, "Pictures have no column to mark; the made ones go into a folder of their own."
            )
        if any(LABEL not in example.given for example in examples):
            sentence = "These pictures have no classes; put those of each class into a sub-folder of its name."
            raise InputError(Code.OPTION, sentence)
        plan = Plan(seconds=60.0, threads=1, seed=seed)
        codec = kind.fit_codec(examples, options, plan, None)
        x_NCHW, kept = _decoded(codec, examples)
        x = x_NCHW.transpose(0, 2, 3, 1)
        self.material = Pictures(np.ascontiguousarray(x[..., 0] if x.shape[3] == 1 else x), {})
        classes = [str(example.given[LABEL]) for example in kept]
        self.label: Label = read_label(np.array(classes, dtype=object), label or LABEL)

    def check(self, path: Path) -> None:
        if path.suffix and not path.is_dir():
            raise InputError(Code.OUTPUT, f"Made pictures go into a folder, one file each, not into {path.name}.")
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(Code.EXISTS, f"{path} exists and is not empty; choose another name.")

    def write(self, path: Path, made: Made | None, fingerprint: str, seed: int, *, sealed: bool) -> Written:
        """The made pictures, class by class; nothing where none was made."""
        if made is None:
            return Written(str(path), 0, 0, "none")
        claim = claim_of(kind.name, fingerprint, seed, made=TRAINED if fingerprint else MIXED)
        files = list(zip(_names(self.label, made.code_N), made.X, strict=True))
        try:
            path.mkdir(parents=True, exist_ok=True)
            if not sealed:
                for name, pixels in files:
                    _put(path / name, _png(pixels, {}))
                return Written(str(path), len(files), len(files), "none")
            note = {"digitalSourceType": claim.source_type, "model": claim.model}
            with folder_seal(path, ilk_home(), claim, len(files)) as seal:
                for index, (name, pixels) in enumerate(files):
                    data = seal.file(_png(pixels, note), "image/png", index)
                    _put(path / name, data)
                    seal.wrote(name, data, index)
        except OSError as error:
            raise disk_error(error, path) from None
        how = "c2pa and manifest" if len(files) <= FEW else "manifest"
        return Written(str(path), len(files), len(files), how)


def _decoded(codec: Any, examples: Sequence[Example]) -> tuple[Array, list[Example]]:
    """(N, C, S, S) uint8 of those that can be decoded, and which they are."""
    pixels, kept, problems = [], [], []
    for example in examples:
        try:
            pixels.append(codec.encode([example])["x"][0])
            kept.append(example)
        except UnreadableError as error:
            problems.append((example.name, error.sentence.rstrip(".")))
    check_readable(problems, len(examples))
    return np.stack(pixels), kept


def _names(label: Label, code_N: Array) -> list[str]:
    """``shirt/made-0001.png``: counted class by class."""
    count = dict.fromkeys(range(len(label.levels)), 0)
    names = []
    for code in code_N.tolist():
        count[code] += 1
        folder = str(label.levels[code]).replace("/", "_").replace("\\", "_").strip(". ") or f"class-{code}"
        names.append(f"{folder}/made-{count[code]:04d}.png")
    return names


def _png(pixels: Array, note: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    kind.write([Image.fromarray(pixels)], buffer, "png", note)
    return buffer.getvalue()


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
