"""``ilk export``: a model to give away, without what is local; or only its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ilk.cli.output import emit, emit_json
from ilk.core.errors import Code, InputError


def export(
    model: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    format: Literal["ilk", "safetensors"] = "ilk",
    force: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Copy a model without what is local (the path of the data, what resuming needs), or its weights.

    Args:
        model: A model folder.
        output: What to write.
        format: ilk (a model folder) or safetensors (the weights, with ilk.json's facts as metadata).
        force: Replace an export that is there.
        json: Print one JSON object.
    """
    if output.exists() and output.resolve() == model.resolve():
        raise InputError(Code.OUTPUT, f"{output} is the model itself; choose another name.")
    if format == "ilk":
        from ilk.generator import load

        load(model, device="cpu").save(output, force=force)
    else:
        _weights(model, output, force=force)
    if json:
        emit_json({"model": str(model), "output": str(output), "format": format})
    else:
        emit(f"{output}: {'the model without what is local' if format == 'ilk' else 'the weights'}")
    return 0


def _weights(model: Path, output: Path, *, force: bool) -> None:
    import numpy as np
    from safetensors.numpy import save

    from ilk.core.config import canonical_json
    from ilk.core.folder import disk_error, open_model, unpack
    from ilk.core.home import write_atomic
    from ilk.generator.model import WEIGHTS

    if output.is_dir() or (output.exists() and not force):
        raise InputError(Code.EXISTS, f"{output} exists; choose another name, or --force for a file.")
    opened = open_model(model)
    header = opened.header
    arrays = {name: np.ascontiguousarray(a) for name, a in unpack(opened.files[WEIGHTS], str(model / WEIGHTS)).items()}
    facts = {
        "format": "ilk",
        "kind": header.kind,
        "engine": header.engine,
        "fingerprint": header.fingerprint,
        "space": canonical_json(header.space).decode(),
        "settings": canonical_json(header.settings).decode(),
    }
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(output, save(arrays, metadata=facts))
    except OSError as error:
        raise disk_error(error, output) from None
