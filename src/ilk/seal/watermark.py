"""A keyed mark in the pixels themselves, for what is left when a seal was stripped: embedding and blind detection.

The mark is a tile of 64 x 64 band-limited noise with random phases from a secret key, repeated over the picture
and weaker where a change would show. It carries no message: a detector with the key says how surely it is there.
Detection knows neither the original nor the scale: the tile repeats, so the autocorrelation of the picture's
residual shows the scale before any key is tried. This file knows arrays, no pictures, files or identities; the
keys come from ``keys.py``, and ``verify.py`` decides what a finding means. It does not survive rotation, mirroring
or a determined remover.

A picture that was not marked with a key is independent of that key's phases, so under the null each score is a
weighted sum of cosines of uniform angles, whatever the picture: the p-value needs no reference pictures.
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
Complex: TypeAlias = npt.NDArray[np.complex64]

TILE = 64
SMALLEST = 128  # pixels on the shorter side: a smaller picture holds too little of the tile to be found surely
PSNR = 41.0  # dB, at least
LEAST_TESTED = TILE  # a cut-out of a marked picture may be this small and still be told
LARGEST = 1024  # of a larger picture the middle is looked at: cost is bounded and it holds tiles enough

_LOW, _HIGH = 5, 20  # cycles a tile: below, pictures drown the mark; above, resizing and JPEG do
_SCALES = (0.45, 2.2)
_TRIED = 12  # scales at which the keys are tried, 1 among them
_REACH = 4  # lattice points of the autocorrelation, each way


def embed(array: Pixels, key: bytes) -> Pixels:
    """The array with the key's mark in it, the same change in each channel.

    Args:
        array: (H, W, C) with at least ``SMALLEST`` pixels on the shorter side; a smaller one comes back as it is.
        key: 32 secret bytes.
    """
    height, width = array.shape[:2]
    if not can_carry(array):
        return array
    tile = _tile(key)
    pattern = np.tile(tile, (-(-height // TILE), -(-width // TILE)))[:height, :width]
    change = pattern * _visibility(array.mean(axis=2, dtype=np.float32))
    loudest = 255 * 10 ** (-PSNR / 20)
    change *= min(1.5, loudest / max(float(np.sqrt(np.mean(change**2))), 1e-6))
    return np.clip(np.rint(array + change[..., None]), 0, 255).astype(np.uint8)


def can_carry(array: npt.NDArray[Any]) -> bool:
    """Whether a mark put into the array could be found again."""
    return min(array.shape[:2]) >= SMALLEST


def detect(array: Pixels, keys: Sequence[bytes]) -> Watermark:
    """Look for the mark of any of the keys.

    Args:
        array: (H, W, C) pixels, perhaps compressed, cut out or resized since they were marked.
        keys: the keys to try; the p-value pays for all of them.

    Returns:
        ``p``: how likely a picture without any of these marks scores so high.
    """
    if not keys or min(array.shape[:2]) < LEAST_TESTED:
        return Watermark(p=1.0, keys=len(keys), tested=False)
    residual = _residual(array)
    scales = _find_scales(residual)
    best = max(_score(residual, scale, _spectra(tuple(keys))) for scale in scales)
    tests = TILE * TILE * len(keys) * len(scales)
    chance = 0.5 * math.erfc(best / math.sqrt(2))
    return Watermark(p=-math.expm1(-tests * chance) if tests * chance < 1 else 1.0, keys=len(keys), tested=True)


def _phases(key: bytes) -> Complex:
    """The key's unit spectrum over the band: (TILE, TILE // 2 + 1), zero outside; of a real tile."""
    count = TILE * (TILE // 2 + 1)
    words = np.frombuffer(hashlib.shake_256(b"ilk watermark tile" + key).digest(4 * count), "<u4")
    angles = (words.astype(np.float64) * (2 * np.pi / 2**32)).reshape(TILE, -1)
    spectrum = np.exp(1j * angles) * _band()
    below = np.arange(TILE // 2 + 1, TILE)
    spectrum[below, 0] = spectrum[TILE - below, 0].conj()
    return spectrum.astype(np.complex64)


@functools.cache
def _band() -> npt.NDArray[np.bool_]:
    u = np.fft.fftfreq(TILE, 1 / TILE)[:, None]
    v = np.arange(TILE // 2 + 1)[None, :]
    radius = np.hypot(u, v)
    return (radius >= _LOW) & (radius <= _HIGH)


@functools.lru_cache(maxsize=256)
def _tile(key: bytes) -> Floats:
    """The mark of a key: zero mean, unit variance."""
    tile = np.fft.irfft2(_phases(key), s=(TILE, TILE))
    return (tile / tile.std()).astype(np.float32)


@functools.lru_cache(maxsize=8)
def _spectra(keys: tuple[bytes, ...]) -> Complex:
    return np.stack([_phases(key).conj() for key in keys])


def _blur(plane: Floats, radius: int) -> Floats:
    """The mean over a square around each pixel, edges repeated."""
    side = 2 * radius + 1
    for axis in (0, 1):
        pad = [(0, 0), (0, 0)]
        pad[axis] = (radius + 1, radius)
        sums = np.cumsum(np.pad(plane, pad, mode="edge"), axis=axis, dtype=np.float64)
        ahead, behind = [slice(None)] * 2, [slice(None)] * 2
        ahead[axis], behind[axis] = slice(side, None), slice(None, -side)
        plane = ((sums[tuple(ahead)] - sums[tuple(behind)]) / side).astype(np.float32)
    return plane


def _busyness(detail: Floats) -> Floats:
    """Local standard deviation; sums of floats may end a little below zero in flat areas."""
    return np.sqrt(np.maximum(_blur(detail * detail, 3), 0.0))


def _visibility(luma: Floats) -> Floats:
    """How much change hides at each pixel: little in flat areas, more in busy ones."""
    return np.minimum(1.0 + 0.15 * _busyness(luma - _blur(luma, 2)), 3.0)


def _residual(array: Pixels) -> Floats:
    """What is left of the picture without its slow part, everywhere about equally loud."""
    height, width = array.shape[:2]
    top, left = max(0, height - LARGEST) // 2, max(0, width - LARGEST) // 2
    luma = array[top : top + LARGEST, left : left + LARGEST].mean(axis=2, dtype=np.float32)
    detail = luma - _blur(luma, 3)
    return detail / (_busyness(detail) + 0.5)


def _find_scales(residual: Floats) -> list[float]:
    """Scales at which the residual repeats itself, and 1; no key is needed."""
    height, width = residual.shape
    shape = (_fft_size(int(1.75 * height)), _fft_size(int(1.75 * width)))
    spectrum = np.fft.rfft2(residual, s=shape)
    power = np.abs(spectrum)
    power /= _blur_wrapped(power) + 1e-9
    power = np.minimum(power, 3.0) ** 2
    power *= _pass(shape)
    again = np.fft.irfft2(power, s=shape)
    step = 0.5 / max(height, width)
    scales = np.exp(np.arange(math.log(_SCALES[0]), math.log(_SCALES[1]), step))
    score, weight = np.zeros_like(scales), np.full_like(scales, 1e-9)
    for i in range(_REACH + 1):
        for j in range(-_REACH, _REACH + 1):
            if i == 0 and j <= 0:
                continue
            y, x = TILE * i * scales, TILE * j * scales
            overlap = np.maximum(0, 1 - y / height) * np.maximum(0, 1 - np.abs(x) / width)
            use = (y < 0.75 * height) & (np.abs(x) < 0.75 * width)
            score += np.where(use, _at(again, y, x), 0)
            weight += np.where(use, overlap, 0)
    score /= np.sqrt(weight)
    return _peaks(scales, score)


def _peaks(scales: npt.NDArray[np.float64], score: npt.NDArray[np.float64]) -> list[float]:
    found = [1.0]
    inside = (score[1:-1] >= score[:-2]) & (score[1:-1] >= score[2:])
    places = np.flatnonzero(inside) + 1
    for place in places[np.argsort(-score[places])]:
        if len(found) == _TRIED:
            break
        if all(abs(math.log(scales[place] / other)) > 0.004 for other in found[1:]):
            found.append(float(scales[place]))
    return found


def _at(plane: npt.NDArray[Any], y: npt.NDArray[Any], x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Values between the pixels of a plane that wraps around."""
    height, width = plane.shape
    top, left = np.floor(y).astype(int), np.floor(x).astype(int)
    dy, dx = y - top, x - left
    rows, columns = (top % height, (top + 1) % height), (left % width, (left + 1) % width)
    upper = plane[rows[0], columns[0]] * (1 - dx) + plane[rows[0], columns[1]] * dx
    lower = plane[rows[1], columns[0]] * (1 - dx) + plane[rows[1], columns[1]] * dx
    return upper * (1 - dy) + lower * dy


def _blur_wrapped(power: Floats) -> Floats:
    return _blur(power.astype(np.float32), 8)


@functools.lru_cache(maxsize=16)
def _pass(shape: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """Frequencies at which a mark of any scale can be."""
    u, v = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    radius = np.hypot(u, v)
    return (radius > 0.04) & (radius < 0.45)


def _fft_size(least: int) -> int:
    """A length that is fast to transform."""
    best = 1 << (least - 1).bit_length()
    for odd in (3, 5, 9, 15, 25, 27):
        size = odd << max(0, (-(-least // odd) - 1).bit_length())
        best = min(best, size) if size >= least else best
    return best


def _score(residual: Floats, scale: float, keys: Complex) -> float:
    """The highest score of the keys over all places of the tile, in standard deviations under the null."""
    folded = _fold(residual, scale)
    weights = np.abs(folded)
    around = np.sqrt(_local_mean(weights**2)) + 1e-9
    clipped = np.minimum(weights / around, 3.0)
    white = np.where(weights > 0, folded / np.maximum(weights, 1e-12), 0) * clipped * _band()
    half = _band().copy()
    half[TILE // 2 :, 0] = False
    spread = math.sqrt(0.5 * float(np.sum(np.abs(white[half]) ** 2)))
    if spread < 1e-6:
        return 0.0
    fields = np.fft.irfft2(white.astype(np.complex64)[None] * keys, s=(TILE, TILE), axes=(1, 2))
    return float(fields.max()) * (TILE * TILE / 2) / spread


def _local_mean(power: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Mean over neighbouring frequencies, inside the band."""
    band = _band()
    rolled = np.fft.fftshift(np.where(band, power, 0), axes=0).astype(np.float32)
    count = _blur(np.fft.fftshift(band, axes=0).astype(np.float32), 2)
    return np.fft.ifftshift(_blur(rolled, 2) / np.maximum(count, 1e-6), axes=0)


def _fold(residual: Floats, scale: float) -> Complex:
    """The spectrum of the residual at the frequencies of a tile of this scale: rfft2 of the folded tiles."""
    height, width = residual.shape
    u, v = np.fft.fftfreq(TILE, 1 / TILE), np.arange(TILE // 2 + 1)
    keep_u, keep_v = np.abs(u) <= _HIGH, v <= _HIGH
    pitch = TILE * scale
    rows = np.exp(-2j * np.pi / pitch * np.outer(u[keep_u], np.arange(height))).astype(np.complex64)
    columns = np.exp(-2j * np.pi / pitch * np.outer(np.arange(width), v[keep_v])).astype(np.complex64)
    out = np.zeros((TILE, TILE // 2 + 1), np.complex64)
    out[np.ix_(keep_u, keep_v)] = rows @ (residual @ columns)
    return out
