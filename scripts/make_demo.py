"""Make the bundled demo pictures again: 1,200 Fashion-MNIST training pictures of each class.

    python scripts/make_demo.py FOLDER_WITH_IDX_FILES

The same files always give the same pictures in the same order. Only the training split is used, so
that a benchmark on the test split stays fair to a model that was fitted on the demo.
"""

from __future__ import annotations

import gzip
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

NAMES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle-boot")
PER_CLASS = 1_200
SEED = 4
OUT = Path(__file__).parent.parent / "src/ilk/kinds/image/demo/fashion.npz"


def read_idx(path: Path, header: int) -> npt.NDArray[np.uint8]:
    """The bytes of an IDX file after its header."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def choose(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Positions of ``PER_CLASS`` pictures of each class, shuffled."""
    random = np.random.default_rng(SEED)
    each = [random.permutation(np.flatnonzero(labels == label))[:PER_CLASS] for label in range(len(NAMES))]
    chosen: npt.NDArray[np.intp] = random.permutation(np.concatenate(each))
    assert len(images) == len(labels)
    return chosen


def write_npz(path: Path, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """As ``numpy.savez_compressed``, but with the best compression and no time of day inside."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy")
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, buffer.getvalue(), compresslevel=9)


def main(folder: Path) -> None:
    """Read the IDX files, write the demo."""
    images = read_idx(folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz", 8)
    chosen = choose(images, labels)
    write_npz(OUT, {"images": images[chosen], "labels": labels[chosen], "names": np.array(NAMES)})
    print(f"{OUT}: {len(chosen):,} pictures, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
