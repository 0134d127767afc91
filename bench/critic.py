"""The critic in two of its jobs, on Fashion-MNIST: what best-of-K wins and costs, and how well it detects.

    .venv/bin/python bench/critic.py --seconds 60 --seed 0

One model of our pair is fitted for so many core-seconds on 54,000 training pictures, then its critic; the
other 6,000 calibrate it. Ranking: samples at best-of 1, 2, 4 and 8 against test pictures, by the judge of
``judge.py``, which had no part in either. Detecting: test pictures, which neither model nor critic has
seen, against fresh samples, all written to files and read back: PNG, our JPEG, a phone's JPEG (quality 75,
halved colour), WebP. ``moved`` is the share of pictures that change sides because of their file format.
Prints one JSON line.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from typing import Any

import numpy as np
import torch
from dcgan import CoreBudget, Pictures
from pictures import FASHION, fashion
from PIL import Image
from sklearn.metrics import roc_auc_score

from ilk.core.folder import DataRecord, Header
from ilk.core.plan import Plan
from ilk.core.registry import get_kind
from ilk.engines.gan import default_settings
from ilk.generator.critics import BestOf, fit_critic
from ilk.generator.model import Model
from ilk.kinds.image.codec import ImageCodec
from judge import floats, judge, numbers

FORMATS: dict[str, dict[str, Any]] = {
    "png": {"format": "PNG"},
    "jpeg95": {"format": "JPEG", "quality": 95, "subsampling": 0},
    "jpeg75": {"format": "JPEG", "quality": 75},
    "webp": {"format": "WEBP", "quality": 80},
}


def fitted(train: Pictures, seconds: float, seed: int) -> Model:
    """A model of the pair after so many core-seconds."""
    kind = get_kind("image")
    counts = tuple(int(n) for n in np.bincount(train.labels, minlength=len(FASHION)))
    codec = ImageCodec(side=28, channels=1, fit="crop", count=len(train), classes=FASHION, counts=counts)
    plan = Plan(seconds=seconds, threads=1, dtype="bfloat16", seed=seed)
    settings = default_settings(codec.space, conditions_present=True, count=len(train), plan=plan)
    engine = settings.build(codec.space, codec.conditions, plan)
    budget = CoreBudget(plan)
    for _ in engine.steps(train, budget):
        budget.advance()
    header = Header(
        ilk="bench", kind=kind.name, engine=settings.name, space={}, settings={}, options={}, plan=plan,
        data=DataRecord(fingerprint="", count=len(train), holdout=0, split_seed=seed), step=budget.step,
        seconds=seconds, ended="finished", created="", saved="", versions={},
    )  # fmt: skip
    return Model(header, kind, codec, settings, engine)


def reread(image: Image.Image, how: dict[str, Any]) -> Image.Image:
    """A picture as it comes back from a file."""
    buffer = io.BytesIO()
    image.save(buffer, **how)
    return Image.open(io.BytesIO(buffer.getvalue())).convert(image.mode)


def ranking(model: Model, count: int, seed: int) -> dict[str, Any]:
    """Judge numbers at best-of K, and what a sample costs."""
    net, about = judge()
    test, _ = fashion("t10k")
    train, _ = fashion("train")
    real = floats(test[np.random.default_rng(seed).permutation(len(test))[:count]])
    _, settings = model.sample_settings({})
    out: dict[str, Any] = about
    for candidates in (1, 2, 4, 8):
        began = time.process_time()
        if candidates == 1:
            made = model.draw(0, count, {}, 7, settings)
        else:
            made = BestOf(model, {}, 7, settings, candidates)(0, count)
        took = time.process_time() - began
        x_NCHW = floats(np.stack([np.asarray(image) for image in made])[:, None])
        found = numbers(net, x_NCHW, real, floats(train[:10_000]))
        out[f"best_of_{candidates}"] = {**found, "samples_a_core_second": round(count / took)}
    return out


def detecting(model: Model, count: int, threshold: float = 0.5) -> dict[str, Any]:
    """AUC and error rates on unseen real pictures and fresh samples, by file format."""
    critic = model.critic
    if critic is None:
        return {}
    test, _ = fashion("t10k")
    _, settings = model.sample_settings({})
    sets = {
        "real": [Image.fromarray(pixels[0]) for pixels in test[:count]],
        "made": model.draw(0, count, {}, 11, settings),
    }
    scores: dict[str, dict[str, Any]] = {}
    for name, how in FORMATS.items():
        read = {sort: [reread(image, how) for image in images] for sort, images in sets.items()}
        scores[name] = {sort: critic.realness(model, images) for sort, images in read.items()}
    alarms, misses = critic.judge.error_at(threshold)
    out: dict[str, Any] = {
        "calibrated_on": critic.judge.calibrated_on,
        "promised": {"false_alarms": round(alarms, 4), "misses": round(misses, 4)},
    }
    for real_as in FORMATS:
        for made_as in FORMATS:
            real, made = scores[real_as]["real"], scores[made_as]["made"]
            area = roc_auc_score(np.r_[np.ones(count), np.zeros(count)], np.r_[real, made])
            out[f"auc_real_{real_as}_made_{made_as}"] = round(float(area), 4)
    for name in FORMATS:
        real, made = scores[name]["real"], scores[name]["made"]
        out[name] = {
            "false_alarms": round(float((real <= threshold).mean()), 4),
            "misses": round(float((made > threshold).mean()), 4),
            "moved_real": round(float(((real <= threshold) != (scores["png"]["real"] <= threshold)).mean()), 4),
            "moved_made": round(float(((made <= threshold) != (scores["png"]["made"] <= threshold)).mean()), 4),
        }
    return out


def main() -> None:
    """Fit, measure, print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--count", type=int, default=5000, help="samples and test pictures")
    args = parser.parse_args()
    torch.set_num_threads(1)
    x_NCHW, labels = fashion("train")
    split = np.random.default_rng(args.seed).permutation(len(x_NCHW))
    train, holdout = (Pictures(x_NCHW[rows], labels[rows]) for rows in (split[6000:], split[:6000]))
    model = fitted(train, args.seconds, args.seed)
    began = time.process_time()
    model.critic = fit_critic(model, train, holdout, 1e9)
    took = time.process_time() - began
    found = {
        "bench": "critic", "core_seconds": args.seconds, "seed": args.seed, "steps": model.header.step,
        "critic_core_seconds": round(took, 1), **ranking(model, args.count, args.seed),
        "detecting": detecting(model, min(args.count, 2000)),
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
