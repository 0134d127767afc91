"""``ilk models``: the models of this user, what they can start from, and removing one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from ilk.cli.output import emit, emit_json, say, table
from ilk.core.errors import Code, FolderError, InputError, MachineError
from ilk.core.folder import HEADER, ModelWriter, read_header
from ilk.core.home import ilk_home

models_app = App(name="models", help="List the models you have; get a base; remove one.")
Json = Annotated[bool, Parameter(negative="")]


@models_app.command(name="list")
def list_(folder: Path = Path(), /, *, json: Json = False) -> int:
    """List the models in a folder, those that this machine has made elsewhere, and what to start from.

    **Example:** `ilk models list`

    Args:
        folder: Where to look; here by default.
        json: Print one JSON object.
    """
    from ilk.seal.ledger import LedgerReader

    places = {path.resolve() for path in folder.glob("*.ilk") if (path / HEADER).is_file()}
    places |= {path for path in LedgerReader(ilk_home()).model_paths() if (path / HEADER).is_file()}
    found = [facts for path in sorted(places) if (facts := _facts(path)) is not None]
    assets = _assets()
    if json:
        emit_json({"models": found, "assets": assets})
        return 0
    emit(table((each["path"], each["says"]) for each in found) or "No models yet: ilk fit photos/")
    if assets:
        emit("\nTo start from, with --base:")
        emit(table((each["name"], _told(each)) for each in assets))
    return 0


@models_app.command
def get(name: str, /, *, json: Json = False) -> int:
    """Fetch a pretrained asset into your ilk folder, checked against its pinned hash.

    **Example:** `ilk models get smollm2`

    Args:
        name: The asset's name; `ilk models list` has them.
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


def _assets() -> list[dict[str, Any]]:
    """Pretrained weights that there are by name, and whether they are here."""
    from ilk.core.assets import known_assets, locate

    def here(asset: Any) -> bool:
        try:
            return locate(asset, ilk_home()).is_dir()
        except MachineError:
            return False

    return [
        {
            "name": asset.name,
            "says": asset.says,
            "megabytes": asset.megabytes,
            "licence": asset.licence,
            "here": here(asset),
        }
        for asset in known_assets().values()
    ]


def _told(asset: dict[str, Any]) -> str:
    how = "" if asset["here"] else f"; get it by: ilk models get {asset['name']}"
    return f"{asset['says']} ({asset['megabytes']:g} MB, {asset['licence']}){how}"


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
