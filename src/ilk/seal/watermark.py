"""A keyed mark in the pixels themselves, for what is left when a seal was stripped: embedding and blind detection.

The mark is a tile of 64 x 64 band-limited noise with random phases from a secret key, repeated over the picture and
a little stronger where it is busy. It carries no message: whoever has the key learns how surely it is there. Detection
knows neither the original nor the scale; the tile repeats, so the autocorrelation shows the scale before any key is
tried. A key's phases are independent of every picture that was not marked with it. So each score under the null is
a weighted sum of cosines of uniform angles, whatever the picture, and p needs no reference pictures.

This file knows arrays, and no pictures, files or identities: the keys come from ``keys.py``, and ``verify.py`` says
what a finding means. Rotation, mirroring and a determined remover take the mark off.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ilk.seal.verdict import Watermark

Pixels: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float32]
Doubles: TypeAlias = npt.NDArray[np.float64]
Spectrum: TypeAlias = npt.NDArray[np.complex64]

SMALLEST = 128  # pixels on the shorter side; below, too little of the tile is there to be found surely
PSNR = 41.0  # dB, within 0.1; flat pictures have more
FOUND = 1e-4  # p below which a mark counts as found: so far the null was measured, further down p is theory
FLOOR = 1e-12  # no smaller p is told

_TILE = 64
_LOW, _HIGH = 5, 20  # cycles a tile: below, pictures drown the mark; above, resizing and JPEG do
_LEAST = 64  # a cut-out of a marked picture may be this small and still be told
_MOST = 1024  # of a larger picture the middle is looked at: it holds tiles enough, and the cost is bounded
_LOUDEST = 1.5  # in a flat area, grey levels
_SCALES = (0.45, 2.2)  # resizing that is looked for
_TRIED = 12  # scales at which the keys are tried, 1 among them
_REACH = 4  # repetitions of the tile that count in finding the scale
_APART = 0.004  # scales nearer than this, in logarithms, are one


def can_carry(array: npt.NDArray[Any]) -> bool:
    """Whether a mark in the array could be found again."""
    return bool(min(array.shape[:2]) >= SMALLEST)


def choose(keys: Sequence[bytes], seed: int, index: int) -> bytes:
    """The key of a sample: the same for the same seed and index."""
    digest = hashlib.sha256(f"{seed} {index}".encode()).digest()
    return keys[int.from_bytes(digest[:8], "big") % len(keys)]


def embed(array: Pixels, key: bytes) -> Pixels:
    """The array with the key's mark in it, the same change in each channel.

    Args:
        array: (H, W, C); one that cannot carry a mark comes back as it is.
        key: secret bytes.
    """
    if not can_carry(array):
        return array
    height, width = array.shape[:2]
    tiles = np.tile(_tile(key), (-(-height // _TILE), -(-width // _TILE)))
    change = tiles[:height, :width] * _visibility(array.mean(axis=2, dtype=np.float32))
    # Rounding adds an error of variance 1/12 that counts towards the PSNR.
    most = math.sqrt((255 * 10 ** (-PSNR / 20)) ** 2 - 1 / 12)
    change *= min(_LOUDEST, most / float(np.sqrt(np.mean(change * change))))
    marked: Pixels = np.clip(np.rint(array + change[..., None]), 0, 255).astype(np.uint8)
    return marked


def detect(array: Pixels, keys: Sequence[bytes]) -> Watermark:
    """Look for the mark of any of the keys.

    Args:
        array: (H, W, C), perhaps compressed, cut out or resized since it was marked.
        keys: the keys to try; p is corrected for their number.
    """
    if not keys or min(array.shape[:2]) < _LEAST:
        return Watermark(p=1.0, keys=len(keys), tested=False)
    least = float(p_values(array, keys).min())
    p = 1.0 if least >= 1 else -math.expm1(len(keys) * math.log1p(-least))
    return Watermark(p=max(FLOOR, p), keys=len(keys), tested=True)


def p_values(array: Pixels, keys: Sequence[bytes]) -> Doubles:
    """For each key the p of its highest score, corrected for all scales and places of the tile that were tried.

    A picture without the key's mark gets a value below p with a probability of at most p.
    """
    residual = _residual(array)
    spectra = _spectra(tuple(keys))
    scales = _find_scales(residual)
    highest = np.max([_scores(residual, scale, spectra) for scale in scales], axis=0)
    # A sum of cosines has lighter tails than the normal distribution, so this errs on the safe side.
    tails = np.array([0.5 * math.erfc(score / math.sqrt(2)) for score in highest.tolist()])
    p: Doubles = -np.expm1(-_TILE * _TILE * len(scales) * tails)
    return p


# The mark.


@functools.cache
def _band() -> npt.NDArray[np.bool_]:
    """Where the mark is, in the layout of ``rfft2`` of a tile."""
    radius = np.hypot(np.fft.fftfreq(_TILE, 1 / _TILE)[:, None], np.arange(_TILE // 2 + 1)[None, :])
    band: npt.NDArray[np.bool_] = (radius >= _LOW) & (radius <= _HIGH)
    return band


def _phases(key: bytes) -> Spectrum:
    """The key's unit spectrum over the band, of a real tile. From a hash, so that it is the same everywhere."""
    data = hashlib.shake_256(b"ilk watermark tile" + key).digest(4 * _band().size)
    angles = np.frombuffer(data, "<u4").reshape(_band().shape) * (2 * np.pi / 2**32)
    spectrum = np.where(_band(), np.exp(1j * angles), 0)
    mirrored = np.arange(_TILE // 2 + 1, _TILE)
    spectrum[mirrored, 0] = spectrum[_TILE - mirrored, 0].conj()
    return spectrum.astype(np.complex64)


@functools.lru_cache(maxsize=128)
def _tile(key: bytes) -> Floats:
    """The mark: zero mean, unit variance."""
    tile = np.fft.irfft2(_phases(key).astype(np.complex128), s=(_TILE, _TILE))
    unit: Floats = (tile / tile.std()).astype(np.float32)
    return unit


@functools.lru_cache(maxsize=4)
def _spectra(keys: tuple[bytes, ...]) -> Spectrum:
    """What to correlate with, (K, TILE, TILE // 2 + 1)."""
    return np.stack([_phases(key).conj() for key in keys])


# The picture.


def _blur(plane: Floats, radius: int) -> Floats:
    """The mean over a square around each place, edges repeated."""
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(plane, pad, mode="edge"), axis=axis, dtype=np.float64)
        ahead, behind = np.split(sums, [2 * radius + 1], axis=axis)[1], sums.take(range(plane.shape[axis]), axis=axis)
        plane = ((ahead - behind) / (2 * radius + 1)).astype(np.float32)
    return plane


def _busyness(detail: Floats) -> Floats:
    """Local standard deviation; in flat areas a sum of floats may end a little below zero."""
    deviation: Floats = np.sqrt(np.maximum(_blur(detail * detail, 3), 0))
    return deviation


def _visibility(luma: Floats) -> Floats:
    """How much change hides at each pixel."""
    hidden: Floats = np.minimum(1 + 0.15 * _busyness(luma - _blur(luma, 2)), 3)
    return hidden


def _residual(array: Pixels) -> Floats:
    """The picture without its slow part, about equally loud everywhere."""
    top, left = (max(0, length - _MOST) // 2 for length in array.shape[:2])
    luma: Floats = array[top : top + _MOST, left : left + _MOST].mean(axis=2, dtype=np.float32)
    detail = luma - _blur(luma, 3)
    level: Floats = detail / (_busyness(detail) + np.float32(0.5))
    return level


# The scale, without a key.


def _find_scales(residual: Floats) -> list[float]:
    """1, and the scales at which the residual repeats itself most."""
    height, width = residual.shape
    again = _autocorrelation(residual)
    step = 0.5 / max(height, width)  # half a pixel from one end to the other
    scales = np.exp(np.arange(math.log(_SCALES[0]), math.log(_SCALES[1]), step))
    total, overlap = np.zeros_like(scales), np.full_like(scales, 1e-9)
    for i in range(_REACH + 1):
        for j in range(-_REACH if i else 1, _REACH + 1):
            y, x = _TILE * i * scales, _TILE * j * scales
            use = (y < 0.75 * height) & (np.abs(x) < 0.75 * width)
            total += np.where(use, _between(again, y, x), 0)
            overlap += np.where(use, (1 - y / height) * (1 - np.abs(x) / width), 0)
    return _peaks(scales, total / np.sqrt(overlap))


def _autocorrelation(residual: Floats) -> Floats:
    """How the residual resembles itself at each shift, up to 3/4 of its size without wrapping around.

    Each frequency counts by how far it stands out among its neighbours, so that the picture's own slow
    decay drops out.
    """
    rows, columns = (_fast_length(length * 7 // 4) for length in residual.shape)
    power = np.abs(np.fft.rfft2(residual, s=(rows, columns)))
    outstanding = np.minimum(power / (_blur(power, 8) + 1e-9), 3) ** 2
    radius = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    outstanding[(radius < 0.04) | (radius > 0.45)] = 0
    return np.fft.irfft2(outstanding.astype(np.float32), s=(rows, columns)).astype(np.float32, copy=False)


def _fast_length(least: int) -> int:
    """The smallest length of the form 2^k, 3 x 2^k or 5 x 2^k from ``least`` on: fast to transform."""
    return min(odd << (-(-least // odd) - 1).bit_length() for odd in (1, 3, 5))


def _between(plane: Floats, y: Doubles, x: Doubles) -> Doubles:
    """Values between the places of a plane that wraps around."""
    height, width = plane.shape
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    below, right = (top + 1) % height, (left + 1) % width
    top, left, dy, dx = top % height, left % width, y - top, x - left
    upper = plane[top, left] * (1 - dx) + plane[top, right] * dx
    lower = plane[below, left] * (1 - dx) + plane[below, right] * dx
    values: Doubles = upper * (1 - dy) + lower * dy
    return values


def _peaks(scales: Doubles, score: Doubles) -> list[float]:
    found: list[float] = []
    places = np.flatnonzero((score[1:-1] >= score[:-2]) & (score[1:-1] >= score[2:])) + 1
    for scale in scales[places[np.argsort(-score[places], kind="stable")]].tolist():
        if len(found) < _TRIED - 1 and all(abs(math.log(scale / other)) > _APART for other in found):
            found.append(scale)
    return [1.0, *found]


# The keys.


def _scores(residual: Floats, scale: float, spectra: Spectrum) -> Floats:
    """For each key the highest correlation over the places of the tile, in standard deviations of the null."""
    folded = _fold(residual, scale)
    power = np.abs(folded) ** 2
    white = folded / (np.sqrt(_mean_around(power)) + 1e-6)
    white /= np.maximum(np.abs(white) / 3, 1)  # no frequency may decide alone
    fields = np.fft.irfft2(white.astype(np.complex64) * spectra, s=(_TILE, _TILE), axes=(1, 2))
    once = np.abs(white) ** 2
    once[_TILE // 2 + 1 :, 0] = 0  # column 0 holds its frequencies twice
    spread = math.sqrt(0.5 * float(once.sum())) / (_TILE * _TILE / 2)
    highest: Floats = fields.max(axis=(1, 2))
    return highest / spread if spread > 0 else np.zeros_like(highest)


def _fold(residual: Floats, scale: float) -> Spectrum:
    """``rfft2`` of the sum of all tiles of this scale, in the band; whole pixels are not asked for."""
    turn = -2j * np.pi / (_TILE * scale)
    inside = np.arange(-_HIGH, _HIGH + 1)
    rows = np.exp(turn * np.outer(inside, np.arange(residual.shape[0]))).astype(np.complex64)
    columns = np.exp(turn * np.outer(np.arange(residual.shape[1]), inside[_HIGH:])).astype(np.complex64)
    folded = np.zeros(_band().shape, np.complex64)
    folded[inside[:, None], inside[_HIGH:]] = rows @ (residual.astype(np.complex64) @ columns)
    return np.where(_band(), folded, 0)


def _mean_around(power: Floats) -> Floats:
    """The mean over neighbouring frequencies of the band."""
    count = _blur(np.fft.fftshift(_band(), axes=0).astype(np.float32), 2)
    total = _blur(np.fft.fftshift(power, axes=0), 2)
    return np.fft.ifftshift(np.maximum(total, 0) / np.maximum(count, 1e-6), axes=0)
