"""How surely the watermark of pictures is found after what happens to them, and how often where there is none.

    python bench/watermark.py
    python bench/watermark.py --pictures 12 --nulls 60

Marks are looked for with all 64 keys of an identity. The pictures are crops of paintings and photos at their own
resolution, and half of them photos of clothes resized to the size. The null: real photos, every second with another
key's mark, half of them compressed, cut out or resized; each of 512 keys gives a p-value. The resizing factors were
not chosen to be on any grid of the detector. Prints one JSON line; wants the real data beside the checkout, and one
thread (``OMP_NUM_THREADS=1``) for the milliseconds.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ilk.seal import keys, watermark

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
SIZES = (128, 256, 512)
LEVELS = (1e-2, 1e-3, 1e-4)
NULL_KEYS = 512
Pixels = npt.NDArray[np.uint8]


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Compressed and decoded."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cut(image: Image.Image, share: float = 0.7) -> Image.Image:
    """A part of it, from a place that is on no grid."""
    width, height = int(share * image.width), int(share * image.height)
    left, top = (image.width - width) * 5 // 9, (image.height - height) * 3 // 7
    return image.crop((left, top, left + width, top + height))


def resized(image: Image.Image, factor: float) -> Image.Image:
    """Larger or smaller."""
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Image.Resampling.BICUBIC)


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "none": lambda image: image,
    "jpeg 70": lambda image: jpeg(image, 70),
    "jpeg 50": lambda image: jpeg(image, 50),
    "crop .7": cut,
    "crop .7, jpeg 70": lambda image: jpeg(cut(image), 70),
    "x 0.5": lambda image: resized(image, 0.5),
    "x 0.6": lambda image: resized(image, 0.6),
    "x 0.83": lambda image: resized(image, 0.83),
    "x 1.27": lambda image: resized(image, 1.27),
    "x 0.6, jpeg 70": lambda image: jpeg(resized(image, 0.6), 70),
    "x 1.27, jpeg 70": lambda image: jpeg(resized(image, 1.27), 70),
    "crop .7, x 0.71": lambda image: resized(cut(image), 0.71),
}


def photos(part: str, count: int) -> Iterator[Image.Image]:
    """Photos of clothes in a fixed random order."""
    with zipfile.ZipFile(DATA / "photos" / f"{part}.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.endswith(".jpg"))
        np.random.default_rng(0).shuffle(names)
        for name in names[:count]:
            yield Image.open(archive.open(name)).convert("RGB")


def squares(size: int, count: int) -> list[Image.Image]:
    """Pictures of ``size``: crops at their own resolution, then resized photos."""
    rng = np.random.default_rng(size)
    found = []
    for path in sorted((DATA / "pictures").glob("*.jpg")):
        image = Image.open(path).convert("RGB")
        for _ in range(count // 12 if min(image.size) >= size else 0):
            left, top = rng.integers(0, image.width - size + 1), rng.integers(0, image.height - size + 1)
            found.append(image.crop((int(left), int(top), int(left) + size, int(top) + size)))
    for image in photos("test", count - len(found)):
        short = min(image.size)
        found.append(image.crop((0, 0, short, short)).resize((size, size), Image.Resampling.LANCZOS))
    return found


def pixels(image: Image.Image) -> Pixels:
    """(H, W, 3)."""
    return np.asarray(image)


def found_rates(size: int, count: int, own: tuple[bytes, ...]) -> dict[str, Any]:
    """Shares found below the threshold, dB and milliseconds."""
    plain = [pixels(image) for image in squares(size, count)]
    begin = time.perf_counter()
    marked = [watermark.embed(array, watermark.choose(own, 0, i)) for i, array in enumerate(plain)]
    embed_ms = 1e3 * (time.perf_counter() - begin) / count
    errors = [np.mean((a.astype(float) - b) ** 2) for a, b in zip(plain, marked, strict=True)]
    begin = time.perf_counter()
    rates = {}
    for name, change in CHANGES.items():
        p = [watermark.detect(pixels(change(Image.fromarray(array))), own).p for array in marked]
        rates[name] = round(float(np.mean(np.array(p) < watermark.FOUND)), 3)
    spent = 1e3 * (time.perf_counter() - begin) / count / len(CHANGES)
    least, middle = (round(float(10 * np.log10(255**2 / f(errors))), 2) for f in (np.max, np.median))
    milliseconds = {"embed_ms": round(embed_ms, 1), "detect_ms": round(spent, 1)}
    return {"found": rates, "psnr_least": least, "psnr_median": middle, **milliseconds}


def null_rates(count: int) -> dict[str, Any]:
    """How often p is below a level where there is no mark of the keys, as a share of that level."""
    rng = np.random.default_rng(1)
    strange = [rng.bytes(32) for _ in range(NULL_KEYS)]
    changes = [CHANGES[name] for name in ("none", "none", "none", "none", "jpeg 70", "crop .7", "x 0.83", "x 1.27")]
    collected = []
    for number, image in enumerate(photos("train", count)):
        array = watermark.embed(pixels(image), rng.bytes(32)) if number % 2 else pixels(image)
        changed = changes[(number // 2) % len(changes)](Image.fromarray(array))
        collected.append(watermark.p_values(pixels(changed), strange))
    p = np.stack(collected)
    kinds = {"plain": p[::2], "another key's mark": p[1::2]}
    rates = {name: {f"{level:g}": float(np.mean(of < level)) for level in LEVELS} for name, of in kinds.items()}
    return {"tests": p.size, "pictures": len(p), **rates, "least": float(p.min())}


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description="Measure the watermark of pictures.")
    parser.add_argument("--pictures", type=int, default=48, help="of each size, to be marked")
    parser.add_argument("--nulls", type=int, default=800, help="pictures without a mark")
    wanted = parser.parse_args()
    if not DATA.is_dir():
        sys.stderr.write(f"{DATA} is not there: nothing to measure\n")
        return
    rng = np.random.default_rng(2)
    own = tuple(rng.bytes(32) for _ in range(keys.MARKS))
    sizes = {str(size): found_rates(size, wanted.pictures, own) for size in SIZES}
    result = {"bench": "watermark", "pictures": wanted.pictures, "sizes": sizes, "null": null_rates(wanted.nulls)}
    sys.stdout.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
