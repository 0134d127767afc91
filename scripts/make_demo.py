"""Make the bundled demos again: 1,200 Fashion-MNIST training pictures of each class, Shakespeare's plays, two tables.

    python scripts/make_demo.py FOLDER_WITH_IDX_FILES
    python scripts/make_demo.py tinyshakespeare.txt
    python scripts/make_demo.py adult-train.csv.gz
    python scripts/make_demo.py penguins.csv

The same files always give the same bytes. Only the training split is used (of the plays, the first nine tenths), so
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
KINDS = Path(__file__).parent.parent / "src/ilk/kinds"
OUT = KINDS / "image/demo/fashion.npz"
PLAYS = KINDS / "text/demo/shakespeare.txt.gz"
TABLES = KINDS / "table/demo"
ADULT = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,race,sex,capital-gain,"
    "capital-loss,hours-per-week,native-country,income"
)
TRAINING_SHARE = 0.9  # as in nanoGPT's and char-rnn's split


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


def write_plays(path: Path) -> None:
    """The first nine tenths of a text, packed without a name or a time of day inside."""
    text = path.read_bytes()
    kept = text[: int(len(text) * TRAINING_SHARE)]
    write_packed(PLAYS, kept)
    print(f"{PLAYS}: {len(kept):,} characters, {PLAYS.stat().st_size:,} bytes")


def write_packed(path: Path, data: bytes) -> None:
    """A .gz without a name or a time of day inside."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
        packed.write(data)


def write_table(path: Path) -> None:
    """A table with a line of names and no blanks around its cells."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if path.name.startswith("adult"):
        lines = [ADULT, *(line.replace(", ", ",") for line in data.decode().splitlines() if line.strip())]
        data = "".join(f"{line}\n" for line in lines).encode()
    out = TABLES / f"{path.name.partition('.')[0].partition('-')[0]}.csv.gz"
    write_packed(out, data)
    print(f"{out}: {data.count(bytes([10])) - 1:,} rows, {out.stat().st_size:,} bytes")


def main(folder: Path) -> None:
    """Read the IDX files, the text or the table, write the demo."""
    if folder.name.endswith((".csv", ".csv.gz")):
        write_table(folder)
        return
    if folder.suffix == ".txt":
        write_plays(folder)
        return
    images = read_idx(folder / "train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = read_idx(folder / "train-labels-idx1-ubyte.gz", 8)
    chosen = choose(images, labels)
    write_npz(OUT, {"images": images[chosen], "labels": labels[chosen], "names": np.array(NAMES)})
    print(f"{OUT}: {len(chosen):,} pictures, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
