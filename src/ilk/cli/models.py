"""``ilk models``: the models of this user, and removing one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from ilk.cli.output import emit, emit_json, say, table
from ilk.core.errors import Code, FolderError, InputError
from ilk.core.folder import HEADER, ModelWriter, read_header
from ilk.core.home import ilk_home

models_app = App(name="models", help="List the models you have; remove one.")
Json = Annotated[bool, Parameter(negative="")]


@models_app.command(name="list")
def list_(folder: Path = Path(), /, *, json: Json = False) -> int:
    """List the models in a folder, and those that this machine has made elsewhere.

    **Example:** `ilk models list`

    Args:
        folder: Where to look; here by default.
        json: Print one JSON object.
    """
    from ilk.seal.ledger import LedgerReader

    places = {path.resolve() for path in folder.glob("*.ilk") if (path / HEADER).is_file()}
    places |= {path for path in LedgerReader(ilk_home()).model_paths() if (path / HEADER).is_file()}
    found = [facts for path in sorted(places) if (facts := _facts(path)) is not None]
    if json:
        emit_json({"models": found})
        return 0
    emit(table((each["path"], each["says"]) for each in found) or "No models yet: ilk fit photos/")
    return 0


@models_app.command
def get(name: str, /, *, json: Json = False) -> int:
    """Fetch a pretrained asset into your ilk folder, checked against its pinned hash.

    **Example:** `ilk models get NAME`

    Args:
        name: The asset's name; without assets on this installation there is none to get.
        json: Print one JSON object.
    """
    from ilk.core.assets import fetch, get_asset

    asset = get_asset(name)
    if not json:
        say(f"{asset.name}: {asset.says} ({asset.megabytes:g} MB, {asset.licence})")
    folder = fetch(asset, ilk_home())
    if json:
        emit_json({"asset": asset.name, "version": asset.version, "path": str(folder), "licence": asset.licence})
    else:
        emit(f"{folder}: {asset.name} {asset.version}")
    return 0


@models_app.command
def remove(model: Path, /, *, yes: Annotated[bool, Parameter(negative="")] = False, json: Json = False) -> int:
    """Remove a model folder for good.

    **Example:** `ilk models remove photos.ilk --yes`

    Args:
        model: The model folder.
        yes: Do it; without, it only says what it would do.
        json: Print one JSON object.
    """
    if not (model / HEADER).is_file():
        raise InputError(Code.MODEL_MISSING, f"{model} is no model folder.")
    if not yes:
        raise InputError(Code.OPTION, f"This removes {model} for good; say --yes to do it.")
    with ModelWriter(model):
        shutil.rmtree(model)
    if json:
        emit_json({"removed": str(model)})
    else:
        emit(f"removed {model}")
    return 0


def _facts(path: Path) -> dict[str, Any] | None:
    try:
        header = read_header(path)
    except FolderError as error:
        return {"path": str(path), "says": f"damaged: {error.sentence}", "damaged": True}
    learned = header.data.count - header.data.holdout
    return {
        "path": str(path),
        "says": f"{header.kind}, {learned:,} examples, {header.step:,} steps, {header.saved[:10]}",
        "kind": header.kind,
        "engine": header.engine,
        "examples": learned,
        "steps": header.step,
        "saved": header.saved,
        "fingerprint": header.fingerprint,
        "damaged": False,
    }
