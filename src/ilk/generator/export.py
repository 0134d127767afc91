"""A fitted model for other programs: its weights as safetensors, or whatever formats its engine offers.

Nothing local goes along (no path, no data, no state to resume from). An export is written beside its place and appears
there whole, or not at all. To give a model to another user of ilk, save it instead.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ilk.core.config import canonical_json
from ilk.core.data import codec_bytes
from ilk.core.errors import Code, InputError, suggest
from ilk.core.folder import disk_error
from ilk.core.home import usual_mask
from ilk.core.offers import Export, Exporting
from ilk.core.protocol import Array
from ilk.generator.model import Model

WEIGHTS = "safetensors"
OWN = {WEIGHTS: "the weights alone, with ilk.json's facts as metadata"}


def export_formats(model: Model) -> Mapping[str, str]:
    """Every format that this model can be exported to and, in a line, what it is."""
    return {**OWN, **(model.engine.exports if isinstance(model.engine, Exporting) else {})}


def export(
    model: Model, path: Path, format: str, *, type: str = "f32", merge: bool = False, force: bool = False
) -> None:
    """Write a model for other programs.

    Args:
        model: a fitted one.
        path: a file or a folder, as the format has it.
        format: one of :func:`export_formats`.
        type: of the numbers, where the format has several.
        merge: put what was learned beside a base into the base's weights.
        force: replace an export that is there.

    Raises:
        InputError: the format is unknown, does not hold this model, or the place is taken.
        MachineError: the disk is full.
    """
    formats = export_formats(model)
    if format not in formats:
        raise InputError(Code.OUTPUT, f'This model cannot be exported as "{format}"; {suggest(format, formats)}.')
    _refuse_taken(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as staging:
            made = Path(staging) / path.name
            if format == WEIGHTS:
                made.write_bytes(_weights(model))
            elif isinstance(model.engine, Exporting):
                codec, facts = codec_bytes(model.codec), facts_of(model)
                model.engine.export(Export(format=format, path=made, type=type, merge=merge, codec=codec, facts=facts))
            if made.is_file():
                made.chmod(0o666 & ~usual_mask())
            if path.is_dir():
                shutil.rmtree(path)
            made.replace(path)
    except OSError as error:
        raise disk_error(error, path) from None


def facts_of(model: Model) -> dict[str, str]:
    """What may be told of a model to whoever gets it."""
    header = model.header
    facts = {"name": model.name.removesuffix(".ilk"), "description": f"Made with ilk {header.ilk} from {header.kind}."}
    facts["ilk.fingerprint"] = header.fingerprint
    if header.base is not None:
        facts |= {"base_model": header.base.name, "license": header.base.licence or "unknown"}
    return facts


def _refuse_taken(path: Path, *, force: bool) -> None:
    """Refuse to replace what is there without ``force``, and what is no export of this kind with it.

    Raises:
        InputError: the place is taken.
    """
    if not path.exists() and not path.is_symlink():
        return
    exported = path.is_file() or (path / "model.safetensors").is_file()
    if not force or not exported:
        how = "choose another name, or --force to replace it" if exported else "choose another name"
        raise InputError(Code.EXISTS, f"{path} exists; {how}.")


def _weights(model: Model) -> bytes:
    import msgspec
    import numpy as np
    from safetensors.numpy import save

    header = model.header
    facts = {
        "format": "ilk",
        "kind": header.kind,
        "engine": header.engine,
        "fingerprint": header.fingerprint,
        "space": canonical_json(header.space).decode(),
        "settings": canonical_json(header.settings).decode(),
    }
    if header.base is not None:
        facts["base"] = msgspec.json.encode(header.base).decode()
    arrays: dict[str, Array] = {name: np.ascontiguousarray(a) for name, a in model.engine.weights().items()}
    return save(arrays, metadata=facts)
