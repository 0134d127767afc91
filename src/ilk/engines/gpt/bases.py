"""Bases: where pretrained weights are found, what settings fit them, and how they get into the network.

A base is a folder of Hugging Face, a GGUF file, a model folder of this engine, or an asset that holds one of these: how
each is read is told in ``pretrained.py``. What is learned beside a base is in ``adapters.py``.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ilk.core.assets import find_again, get_asset, locate
from ilk.core.errors import Code, InputError
from ilk.core.folder import HEADER, read_header
from ilk.core.home import ilk_home
from ilk.core.plan import Plan
from ilk.core.protocol import Base
from ilk.engines.gpt.gguf import GgufFile
from ilk.engines.gpt.model import Shape
from ilk.engines.gpt.pretrained import CONFIG, TOKENIZER, GgufBase, HfFolder, IlkFolder, Pretrained, take
from ilk.engines.gpt.settings import Gpt

if TYPE_CHECKING:
    from ilk.engines.gpt.engine import GptEngine

ADAPTED = 10_000_000  # weights from which on they are frozen and adapters are learned
RANK = {"small": 8, "medium": 16, "large": 32, None: 16}
WINDOW, BATCH = 256, 2  # of learning beside a base: a row for each of two cores (bench/lora.py)
SUFFIX = ".gguf"
LICENCES = (
    ("Apache-2.0", r"apache[- ]?(license)?,?\s*(version)?\s*2"),
    ("MIT", r"\bmit\b( license)?"),
    ("BSD-3-Clause", r"\bbsd\b"),
)


def open_base(name: str) -> Base:
    """The base of that name: a file, a folder, or an asset.

    Raises:
        InputError: there is none, or it is nothing that can be begun from.
        MachineError: it is an asset that is not on this machine.
    """
    path = Path(name).expanduser()
    licence = ""
    if not path.exists():
        if path.suffix or len(path.parts) > 1:
            raise InputError(Code.SOURCE_MISSING, f"There is no base {name}: no such file or folder.")
        asset = get_asset(name)
        folder, licence = locate(asset, ilk_home()), asset.licence
        files = [folder / file for file in asset.files if file.endswith(SUFFIX)]
        path = files[0] if files else folder
    open_path(path)
    return Base(name=name, sha256=_digest(path), licence=licence or _licence(path), path=str(path))


def open_pretrained(base: Base) -> Pretrained:
    """The weights, sizes and tokenizer of a base.

    Raises:
        InputError: it is nothing that this engine can begin from.
    """
    return open_path(Path(base.path))


def open_path(path: Path) -> Pretrained:
    """The same of a file or a folder."""
    if (path / HEADER).is_file():
        return IlkFolder(path, _found)
    return HfFolder(path) if path.is_dir() else GgufBase(path)


def _found(recorded: Base) -> Pretrained:
    """The base that another model has learned beside."""
    return open_pretrained(find_again(recorded, open_base))


def base_settings(base: Base, plan: Plan) -> Gpt:
    """The settings that win beside a base: adapters for a large one, all weights of a small one."""
    pretrained = open_pretrained(base)
    shape = pretrained.shape
    count = shape.vocabulary * shape.width + shape.layers * shape.width * (3 * shape.hidden + 2 * shape.width)
    sizes = {name: getattr(shape, name) for name in Shape.__struct_fields__ if name != "vocabulary"}
    large = count >= ADAPTED
    return Gpt(
        **sizes,
        norms=True,
        window=min(WINDOW, pretrained.context),
        context=pretrained.context,
        batch=max(BATCH, min(plan.threads, 8)) if large else 16 * BATCH,
        matrix_rate=0.0 if large else 0.005,
        rate=2e-3 if large else 1e-3,
        warm=10,
        hold=0.3,
        adapter=RANK[plan.size] if large else 0,
    )


def load_base(engine: GptEngine, base: Base) -> None:
    """Put a base's weights into the network: frozen ones in the type that is computed in, others in float32.

    Raises:
        InputError: they do not fit the settings, or the base cannot be read.
        FolderError: the base is another model folder, and damaged.
    """
    take(engine.model, open_pretrained(base), base.name, engine.dtype)
    engine.based = True


def _digest(path: Path) -> str:
    """SHA-256 of a file, of what a model folder is known by, or of a folder's weights, sizes and tokenizer."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if (path / HEADER).is_file():
        return read_header(path).fingerprint
    parts = [path / CONFIG, path / TOKENIZER, *sorted(path.glob("*.safetensors"))]
    lines = [f"{part.name} {_digest(part)}" for part in parts if part.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _licence(path: Path) -> str:
    """The licence that a file, the head of a README or a LICENSE names, where it is plain; otherwise nothing."""
    if path.is_file():
        return str(GgufFile(path).get("general.license", ""))
    if (path / HEADER).is_file():
        base = read_header(path).base
        return base.licence if base else ""
    for name in ("README.md", "LICENSE", "LICENSE.txt", "LICENSE.md"):
        try:
            with (path / name).open(encoding="utf-8", errors="replace") as file:
                head = file.read(4096)
        except OSError:
            continue
        declared = re.search(r"^license:\s*([\w.-]{1,40})\s*$", head, re.MULTILINE)
        said = declared[1] if declared else ("" if name == "README.md" else head[:400])
        for licence, pattern in LICENCES:
            if re.search(pattern, said, re.IGNORECASE):
                return licence
        if declared:
            return declared[1]
    return ""
