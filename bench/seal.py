"""What sealing costs and what it misses. Prints one JSON line.

``python bench/seal.py`` (about half a minute on two cores). Times are the best of three rounds,
because other work on the machine only ever adds; sealed and unsealed rounds take turns.
"""

from __future__ import annotations

import io
import json
import struct
import sys
import tempfile
import time
import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ilk.seal import c2pa, keys
from ilk.seal.claim import Claim
from ilk.seal.sealer import folder_seal
from ilk.seal.verify import verify

FILES, ROUNDS, SIGNATURES = 10_000, 3, 300
FLIPS = (0x01, 0x80, 0xFF)
CLAIM = Claim(ilk="0.1.0", kind="image", model="ab" * 32, seed=7)


def main() -> None:
    """Measure everything."""
    result: dict[str, object] = {"bench": "seal", "files": FILES}
    with tempfile.TemporaryDirectory() as folder:
        result |= folder_costs(Path(folder))
    identity = keys.make()
    samples = tiny_files()
    picture = samples["image/png"]
    sealed = c2pa.embed(picture, "image/png", CLAIM, identity)
    result["c2pa_sign_ms"] = milliseconds(lambda: c2pa.embed(picture, "image/png", CLAIM, identity))
    result["c2pa_read_ms"] = milliseconds(lambda: c2pa.read(sealed, "image/png"))
    result["c2pa_bytes"] = len(sealed) - len(picture)
    result["es256_sign_ms"] = milliseconds(lambda: identity.sign(picture))
    result["flips_missed"] = {kind: missed(data, kind, identity) for kind, data in samples.items()}
    sys.stdout.write(json.dumps(result) + "\n")


def folder_costs(base: Path) -> dict[str, float]:
    """Seconds to write 10,000 PNGs of 32x32, without and with the folder's manifest, and to verify."""
    pixels = np.random.default_rng(0).integers(0, 256, (FILES, 32, 32, 3), dtype=np.uint8)
    home = base / "home"
    keys.identity(home)
    plain: list[tuple[float, float]] = []  # (seconds on the wall, seconds of the processor)
    sealed: list[tuple[float, float]] = []
    for number in range(ROUNDS):
        folder = base / f"plain{number}"
        folder.mkdir()
        start = clocks()
        for i in range(FILES):
            (folder / f"{i:05}.png").write_bytes(png(pixels[i]))
        plain.append(since(start))
        folder = base / f"sealed{number}"
        folder.mkdir()
        start = clocks()
        with folder_seal(folder, home, CLAIM, FILES) as seal:
            for i in range(FILES):
                data = seal.file(png(pixels[i]), "image/png", i)
                (folder / f"{i:05}.png").write_bytes(data)
                seal.wrote(f"{i:05}.png", data, i)
        sealed.append(since(start))
    begin = time.perf_counter()
    verdicts = verify([folder], home)
    seconds = time.perf_counter() - begin
    if not all(verdict.trusted for verdict in verdicts):
        raise SystemExit("a file does not verify")
    return {
        "write_s": min(plain)[0],
        "write_sealed_s": min(sealed)[0],
        "ratio": min(sealed)[0] / min(plain)[0],
        "ratio_cpu": min(cpu for _, cpu in sealed) / min(cpu for _, cpu in plain),
        "seal_only_s": min(seal_only(base / f"only{number}", home, data) for number in range(ROUNDS)),
        "verify_folder_s": seconds,
        "manifest_bytes": (folder / "ilk-seal.json").stat().st_size,
    }


def seal_only(folder: Path, home: Path, data: bytes) -> float:
    """Seconds that the seal itself takes for as many files, nothing else being written."""
    folder.mkdir()
    start = time.perf_counter()
    with folder_seal(folder, home, CLAIM, FILES) as seal:
        for i in range(FILES):
            seal.wrote(f"{i:05}.png", seal.file(data, "image/png", i), i)
    return time.perf_counter() - start


def clocks() -> tuple[float, float]:
    """The wall's clock and the processor's, which other work on the machine disturbs less."""
    return time.perf_counter(), time.process_time()


def since(start: tuple[float, float]) -> tuple[float, float]:
    """Seconds on both clocks."""
    wall, cpu = clocks()
    return wall - start[0], cpu - start[1]


def missed(data: bytes, media_type: str, identity: keys.Identity) -> int:
    """Positions of a sealed file where some change of one byte is not seen."""
    sealed = c2pa.embed(data, media_type, CLAIM, identity)
    positions = set()
    for at in range(len(sealed)):
        for flip in FLIPS:
            changed = bytearray(sealed)
            changed[at] ^= flip
            reading = c2pa.read(bytes(changed), media_type)
            if reading is not None and reading.state == "holds":
                positions.add(at)
    return len(positions)


def milliseconds(action: Callable[[], object]) -> float:
    """The mean of many calls, after one to warm up."""
    action()
    start = time.perf_counter()
    for _ in range(SIGNATURES):
        action()
    return (time.perf_counter() - start) / SIGNATURES * 1000


def png(pixels: np.ndarray) -> bytes:
    """A picture as PNG bytes."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def tiny_files() -> dict[str, bytes]:
    """One small file of every format that C2PA has a place in."""
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (8, 8, 3), dtype=np.uint8))
    files = {}
    for name in ("PNG", "JPEG", "WEBP", "GIF", "TIFF"):
        out = io.BytesIO()
        image.save(out, name)
        files[f"image/{name.lower()}"] = out.getvalue()
    sound = io.BytesIO()
    with wave.open(sound, "wb") as writer:
        writer.setparams((1, 2, 8000, 0, "NONE", ""))
        writer.writeframes(bytes(range(256)))
    files["audio/wav"] = sound.getvalue()
    matrix = struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    header = bytes(12) + struct.pack(">IIIH", 1000, 1000, 65536, 256) + bytes(10) + matrix + bytes(24) + b"\0\0\0\2"
    movie = box(b"moov", box(b"mvhd", header))
    files["video/mp4"] = box(b"ftyp", b"isom\0\0\2\0isommp41") + movie + box(b"mdat", bytes(range(200)))
    return files


def box(kind: bytes, payload: bytes) -> bytes:
    """A box of an MP4 file."""
    return struct.pack(">I", 8 + len(payload)) + kind + payload


if __name__ == "__main__":
    main()
