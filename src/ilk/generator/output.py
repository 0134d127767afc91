"""Samples to files: bytes from the kind, sealed, written once.

A folder gets one file a sample (numbering goes on where it ended), a contact sheet and a signed
manifest; files of at most one call of 1,000 carry a seal of their own as well. A single file holds
all samples, or the only one. What is sealed is watermarked first, where it can carry that. Nothing is
held longer than a chunk, so a million samples stream.
"""

from __future__ import annotations

import functools
import hashlib
import io
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, overload

import msgspec

from ilk.core.errors import Code, InputError, suggest
from ilk.core.folder import disk_error
from ilk.core.home import ilk_home, write_atomic, write_through
from ilk.core.protocol import Format, Kind
from ilk.core.samples import Samples, Saved
from ilk.generator.extras import new_claim
from ilk.generator.model import Model
from ilk.seal import c2pa, watermark
from ilk.seal.claim import TRAINED, Claim
from ilk.seal.ledger import Ledger
from ilk.seal.sealer import FEW, FolderSeal, seal_file
from ilk.seal.sidecar import SUFFIX as SIDECAR
from ilk.seal.sidecar import make as make_sidecar
from ilk.seal.trust import signing_identity

SHEET = 100  # samples on the contact sheet
LISTED = 1000  # files named in the result
INSIDE = 64 * 1024 * 1024  # bytes of a file of many samples that still gets its seal inside: that takes it whole


def save_samples(
    model: Model,
    samples: Samples,
    path: Path,
    format_name: str | None,
    *,
    unsealed: bool,
    one_file: bool,
    given: Mapping[str, Any],
    options: Mapping[str, Any],
    latent: Mapping[str, Any] | None = None,
    source_type: str = TRAINED,
) -> Saved:
    """Write samples to a folder or a file; see ``Samples.save``.

    ``latent`` is the recipe of samples from given places of the latent space (``latent.py``). It is personal, so
    only the ledger has it; the seal then names no seed, for model and seed would lead to other samples. Neither does
    it where ``source_type`` says that samples are made of real ones.
    """
    started = time.monotonic()
    claim = new_claim(model, samples.seed if latent is None and source_type == TRAINED else None)
    writer = _Output(model, msgspec.structs.replace(claim, source_type=source_type), sealed=not unsealed)
    if not unsealed:
        settings = {"given": dict(given), "options": dict(options), "count": len(samples)}
        writer.remember(samples.seed, settings if latent is None else {**settings, "latent": latent})
    try:
        write = writer.one_file if one_file else writer.folder
        saved = write(samples, path, format_name)
    except OSError as error:
        raise disk_error(error, path) from None
    return msgspec.structs.replace(saved, seconds=time.monotonic() - started)


def find_format(kind: Kind, name: str) -> Format:
    """The format of a suffix or name, ``.jpg`` or ``jpeg``.

    Raises:
        InputError: the kind does not write it.
    """
    wanted = name.lower().lstrip(".")
    wanted = {"jpeg": "jpg", "tif": "tiff"}.get(wanted, wanted)
    known = {each.suffix: each for each in kind.formats}
    if wanted not in known:
        raise InputError(Code.OUTPUT, f'{kind.name} is not written as "{name}"; {suggest(wanted, known)}.')
    return known[wanted]


class _Output:
    """Writes the samples of one call."""

    def __init__(self, model: Model, claim: Claim, *, sealed: bool) -> None:
        self._model = model
        self._kind = model.kind
        self._claim = claim
        self._sealed = sealed
        self._ledger = Ledger(ilk_home())
        self._carries: bool | None = None

    def remember(self, seed: int, settings: Mapping[str, Any]) -> None:
        """Put the call into this machine's ledger; names of classes may be private, so only there."""
        model, claim = self._model, self._claim
        self._ledger.model(claim.model, model.name, model.path or "", claim.kind)
        self._ledger.call(claim.call, claim.model, seed, settings)

    def folder(self, samples: Samples, folder: Path, name: str | None) -> Saved:
        """One file a sample, a sheet and a manifest."""
        single = [form for form in self._kind.formats if form.one]
        form = find_format(self._kind, name) if name else (single or self._kind.formats)[0]
        if not form.one:
            sentence = f"A {form.suffix} holds many samples in one file: write it by -o NAME.{form.suffix}."
            raise InputError(Code.OUTPUT, sentence)
        folder.mkdir(parents=True, exist_ok=True)
        first = _next_number(folder)
        width = max(4, len(str(first + len(samples) - 1)))
        few = len(samples) <= FEW  # the ledger, as the seal inside, is for what is handled one by one
        files: list[str] = []
        head: list[Any] = []
        with self._seal(folder, len(samples)) as seal:
            for index, made in _numbered(samples):
                obj = self._mark(made, index)
                file = f"{first + index:0{width}d}.{form.suffix}"
                data = self._bytes([obj], form)
                if seal is not None:
                    data = seal.file(data, form.media_type, index)
                _put(folder / file, data)
                if seal is not None:
                    seal.wrote(file, data, index, self._kind.identify(obj) if few else None)
                files += [str(folder / file)] if index < LISTED else []
                head += [obj] if index < SHEET else []
            sheet, data, media_type = self._sheet(first, head)
            if seal is not None:
                data = seal.file(data, media_type, None)
                seal.wrote(sheet, data, None)
            _put(folder / sheet, data)
        inside = few and c2pa.supports(form.media_type)
        how = "none" if seal is None else "c2pa and manifest" if inside else "manifest"
        return Saved(str(folder), len(samples), files, str(folder / sheet), how, 0.0)

    def _seal(self, folder: Path, count: int) -> AbstractContextManager[FolderSeal | None]:
        if not self._sealed:
            return nullcontext()
        return FolderSeal(folder, ilk_home(), self._claim, count, self._ledger)

    def one_file(self, samples: Samples, path: Path, name: str | None) -> Saved:
        """All samples in one file, or the only one."""
        form = find_format(self._kind, name or path.suffix)
        if not form.many and len(samples) > 1:
            sentence = f"{path.name} holds one sample, not {len(samples)}: name a folder, or use -n 1."
            raise InputError(Code.OUTPUT, sentence)
        if path.exists():
            raise InputError(Code.EXISTS, f"{path} exists and is not overwritten; choose another name.")
        path.parent.mkdir(parents=True, exist_ok=True)
        if form.many:
            return self._stream(samples, path, form)
        objects = self._marked(samples)
        data = self._bytes(objects, form)
        how, sidecar = "none", None
        if self._sealed:
            data, sidecar = seal_file(data, form.media_type, self._claim.at(0), ilk_home())
            how = "sidecar" if sidecar else "c2pa"
            with self._ledger as ledger:
                ledger.content(self._kind.identify(objects[0]), self._claim.call, 0)
        write_atomic(path, data)
        if sidecar is not None:
            write_atomic(path.with_name(path.name + SIDECAR), sidecar)
        return Saved(str(path), 1, [str(path)], None, how, 0.0)

    def _stream(self, samples: Samples, path: Path, form: Format) -> Saved:
        """Many samples into one file, straight to the disk: it may be larger than memory."""
        inside = False
        with write_through(path) as file:
            self._kind.write(self._marked(samples, form), file, form.suffix, self._note)
            if self._sealed and c2pa.supports(form.media_type) and file.tell() <= INSIDE:
                file.seek(0)
                data, beside = seal_file(file.read(), form.media_type, self._claim, ilk_home())
                inside = beside is None
                file.seek(0)
                file.write(data)
            file.flush()
            file.seek(0)
            digest = hashlib.sha256()
            while block := file.read(2**20):
                digest.update(block)
        if self._sealed and not inside:
            sidecar = make_sidecar(digest.hexdigest(), self._claim, signing_identity(ilk_home()))
            write_atomic(path.with_name(path.name + SIDECAR), sidecar)
        how = "none" if not self._sealed else "c2pa" if inside else "sidecar"
        return Saved(str(path), len(samples), [str(path)], None, how, 0.0)

    @functools.cached_property
    def _marks(self) -> tuple[bytes, ...]:
        return signing_identity(ilk_home()).watermark_keys()

    def _mark(self, obj: Any, index: int) -> Any:
        """The sample with a watermark, where it can carry one; which key depends on seed and index alone."""
        if self._carries is None:  # a model's samples are of one size: the first one tells for all
            first = self._kind.carrier(obj) if self._sealed else None
            self._carries = first is not None and watermark.can_carry(first)
        pixels = self._kind.carrier(obj) if self._carries else None
        if pixels is None:
            return obj
        key = watermark.choose(self._marks, self._claim.seed or 0, index)
        return self._kind.with_carrier(obj, watermark.embed(pixels, key))

    def _marked(self, objects: Sequence[Any], form: Format | None = None) -> Sequence[Any]:
        """The samples, marked as they are looked at; as they are where the kind carries no mark.

        All frames of a film get one key: a mark that changed from frame to frame would flicker.
        """
        if not self._sealed or self._kind.carrier(objects[0]) is None:
            return objects
        return _Marked(objects, (lambda obj, _: self._mark(obj, 0)) if form and form.rate else self._mark)

    @functools.cached_property
    def _note(self) -> dict[str, str]:
        """What stands in every file, readable without ilk; one for the whole call, so that it is made once."""
        if not self._sealed:
            return {}
        claim = self._claim
        return {"digitalSourceType": claim.source_type, "creatorTool": f"ilk {claim.ilk}", "model": claim.model}

    def _bytes(self, objects: Sequence[Any], form: Format) -> bytes:
        buffer = io.BytesIO()
        self._kind.write(objects, buffer, form.suffix, self._note)
        return buffer.getvalue()

    def _sheet(self, first: int, head: Sequence[Any]) -> tuple[str, bytes, str]:
        exhibit = self._kind.draw(head)
        suffix = {"image/png": ".png", "image/svg+xml": ".svg", "audio/wav": ".wav"}.get(exhibit.media_type, ".txt")
        return ("sheet" if first == 1 else f"sheet-{first}") + suffix, exhibit.data, exhibit.media_type


class _Marked(Sequence[Any]):
    """Samples that are marked when they are looked at: there may be more of them than memory holds."""

    def __init__(self, objects: Sequence[Any], mark: Callable[[Any, int], Any]) -> None:
        self._objects, self._mark = objects, mark

    def __len__(self) -> int:
        return len(self._objects)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        places = range(len(self))[index]
        if isinstance(places, range):
            return [self[place] for place in places]
        return self._mark(self._objects[places], places)

    def __iter__(self) -> Iterator[Any]:
        return (self._mark(obj, index) for index, obj in enumerate(self._objects))


def _put(path: Path, data: bytes) -> None:
    """Write a file; half of one (the disk is full) is not left behind."""
    try:
        path.write_bytes(data)
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _numbered(samples: Samples) -> Iterator[tuple[int, Any]]:
    index = 0
    for batch in samples.batches():
        for obj in batch:
            yield index, obj
            index += 1


def _next_number(folder: Path) -> int:
    """Numbering goes on where the folder's files end."""
    numbers = (int(m[1]) for p in folder.iterdir() if (m := re.match(r"(\d{4,})\.\w+$", p.name)))
    return max(numbers, default=0) + 1
