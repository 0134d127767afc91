"""``ilk export``: a model to give away, without what is local; or for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ilk.cli.output import emit, emit_json
from ilk.core.errors import Code, InputError


def export(
    model: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    format: str = "ilk",
    type: str = "f32",
    merge: Annotated[bool, Parameter(negative="")] = False,
    force: Annotated[bool, Parameter(negative="")] = False,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Copy a model without what is local (the path of the data, what resuming needs), or write it for other programs.

    Args:
        model: A model folder.
        output: What to write.
        format: ilk (a model folder), safetensors (the weights, with ilk.json's facts as metadata), or what the
            model's engine offers beside: of language models hf (a folder for transformers) and gguf (a file for
            llama.cpp).
        type: Of the numbers in hf and gguf: f32, f16; hf: bf16; gguf: q8_0.
        merge: Put what was learned beside a base into the base's weights; hf and gguf hold nothing else.
        force: Replace an export that is there.
        json: Print one JSON object.
    """
    if output.exists() and output.resolve() == model.resolve():
        raise InputError(Code.OUTPUT, f"{output} is the model itself; choose another name.")
    from ilk.generator import load

    fitted = load(model, device="cpu")
    if format == "ilk":
        fitted.save(output, force=force)
        says = "the model without what is local"
    else:
        from ilk.generator.export import export, export_formats

        export(fitted.model_, output, format, type=type, merge=merge, force=force)
        says = export_formats(fitted.model_)[format]
    if json:
        emit_json({"model": str(model), "output": str(output), "format": format})
    else:
        emit(f"{output}: {says}")
    return 0
