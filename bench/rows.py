"""What is asked of made rows, measured: rules, conditions, odd rows, scale, larger leaves. One JSON line.

    .venv/bin/python bench/rows.py rules
    .venv/bin/python bench/rows.py conditions --seeds 0 1 2
    .venv/bin/python bench/rows.py odd
    .venv/bin/python bench/rows.py scale --rows 1000000
    .venv/bin/python bench/rows.py share

``rules``       100,000 made taxi rides: how many break what every training row keeps
``conditions``  Adult, ``age=30..40, sex=Female`` x 5,000: delivered, met, and LightGBM's AUC against held-out rows that
                meet it, beside that of as many unconditional rows against as many held-out ones
``odd``         20 rows unlike all others, 50 times each in 3,000 of Adult's: how many the report names, and how many of
                20 such rows that nothing learned from
``scale``       rows x 15 columns from a Parquet file: seconds to fit, rows a second, peak memory
``share``       Adult with and without ``share``: the critic, and an attack that has the model file

LightGBM is no dependency of ilk: ``pip install lightgbm`` puts the judge beside it.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from tables import DATA, critic, load, numbers

import ilk

ASKED = {"age": (30, 40), "sex": "Female"}
ODD, TIMES = 20, 50


def rules(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rides that break a rule of all rides: checked here, not by ilk."""
    train, _ = load("taxis", options.data, 0)
    made = ilk.Generator(threads=1).fit(train).sample(options.rows or 100_000, seed=1).data
    zones = pd.concat([train[[f"{end}_zone", f"{end}_borough"]].set_axis(["zone", "borough"], axis=1)
                       for end in ("pickup", "dropoff")]).dropna().drop_duplicates()  # fmt: skip
    borough = dict(zip(zones["zone"], zones["borough"], strict=True))
    rests = set((100 * (train["total"] - train["fare"] - train["tip"] - train["tolls"])).round().astype(int))
    rest = (100 * (made["total"] - made["fare"] - made["tip"] - made["tolls"])).round().astype(int)
    broken = {
        "dropoff before pickup": int((made["dropoff"] < made["pickup"]).sum()),
        "total is another": int((~rest.isin(rests)).sum()),
        "borough is another": sum(
            int((made[f"{end}_zone"].map(borough) != made[f"{end}_borough"])[made[f"{end}_zone"].notna()].sum())
            for end in ("pickup", "dropoff")
        ),
    }
    return [{"rows": len(made), "broken": broken}]


def conditions(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Rows that are asked for beside rows that are not."""
    train, test = load("adult", options.data, 0)
    met = test[test["age"].between(30, 40) & (test["sex"] == "Female")]
    runs = []
    for seed in options.seeds:
        model = ilk.Generator(threads=1, random_state=seed, holdout=0.0).fit(train)
        start = time.perf_counter()
        made = model.sample(5_000, given=ASKED, seed=seed).data
        seconds = time.perf_counter() - start
        holds = made["age"].between(30, 40) & (made["sex"] == "Female")
        free, wanted, plain = model.sample(5_000, seed=seed).data, [], []
        for part in range(3):  # 1,398 held-out rows meet it: one comparison is .016 of noise
            rows = slice(part * len(met), (part + 1) * len(met))
            (asked, real), _ = numbers([made[rows], met])
            wanted.append(critic(asked, real, seed))
            (any_row, other), _ = numbers([free[rows], test.sample(len(met), random_state=3 * seed + part)])
            plain.append(critic(any_row, other, seed))
        runs.append(
            {
                "seed": seed,
                "delivered": len(made),
                "met": int(holds.sum()),
                "seconds": round(seconds, 2),
                "critic": round(float(np.mean(wanted)), 4),
                "unconditional_critic": round(float(np.mean(plain)), 4),
                "rows_judged": len(met),
            }
        )
    return runs


def odd(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Odd rows that stand in the data many times, and others that do not."""
    train, _ = load("adult", options.data, 0)
    runs = []
    for seed in options.seeds:
        random = np.random.default_rng(seed)
        base = train.sample(3_000, random_state=seed).reset_index(drop=True)
        strange = _strange(base, random, 2 * ODD)
        planted = pd.concat([base, *[strange[:ODD]] * TIMES], ignore_index=True).sample(frac=1.0, random_state=seed)
        named = {}
        for what, table in (("planted", planted), ("fresh", base)):
            card = ilk.Generator(threads=1, random_state=seed).fit(table.reset_index(drop=True)).report(seed=seed)
            found = card.numbers.get("private.table.odd_rows")
            named[what] = None if found is None else {"made": found.value, "real": found.ceiling}
        runs.append({"seed": seed, "planted": ODD, "named": named})
    return runs


def _strange(base: pd.DataFrame, random: np.random.Generator, count: int) -> pd.DataFrame:
    """Rows of values that do not go together, with numbers that nobody has."""
    rows = pd.DataFrame({name: random.choice(base[name].to_numpy(), count) for name in base.columns})
    low, high = base["fnlwgt"].min(), base["fnlwgt"].max()
    rows["fnlwgt"] = random.integers(high, high + (high - low), count)
    rows["capital-gain"] = random.integers(40_000, 90_000, count)
    rows["hours-per-week"] = random.integers(90, 99, count)
    return rows


def scale(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Many rows from a file."""
    train, _ = load("adult", options.data, 0)
    count, random = options.rows or 1_000_000, np.random.default_rng(0)
    table = train.iloc[random.integers(0, len(train), count)].reset_index(drop=True)
    table["fnlwgt"] = (table["fnlwgt"] * np.exp(random.normal(0, 0.05, count))).astype(int)
    table["age"] = (table["age"] + random.integers(-2, 3, count)).clip(17, 90)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.parquet"
        table.to_parquet(path, index=False)
        del table
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.perf_counter()
        model = ilk.Generator().fit(path)
        fit = time.perf_counter() - start
        start = time.perf_counter()
        made = sum(len(batch) for batch in model.sample(count, seed=1).batches())
        took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [{"rows": count, "columns": train.shape[1], "fit": round(fit, 1), "rows_a_second": round(made / took),
             "peak_gb": round(peak / 2**20, 2), "before_gb": round(before / 2**20, 2)}]  # fmt: skip


def share(options: argparse.Namespace) -> list[dict[str, Any]]:
    """What larger leaves cost, and what they hide from somebody who has the model."""
    from sklearn.metrics import roc_auc_score

    train, test = load("adult", options.data, 0)
    runs = []
    for seed in options.seeds:
        for given_away in (False, True):
            model = ilk.Generator(threads=1, random_state=seed, holdout=0.0, options={"share": given_away}).fit(train)
            made = model.sample(len(test), seed=seed).data
            (new, held), _ = numbers([made, test])
            members, others = (model.score_samples(part[:3_000]) for part in (train, test))
            attack = float(roc_auc_score(np.repeat([1, 0], 3_000), np.concatenate([members, others])))
            runs.append({"seed": seed, "share": given_away, "critic": round(critic(new, held, seed), 4),
                         "attack_with_the_model": round(attack, 4)})  # fmt: skip
    return runs


WHAT: dict[str, Callable[[argparse.Namespace], list[dict[str, Any]]]] = {
    "rules": rules,
    "conditions": conditions,
    "odd": odd,
    "scale": scale,
    "share": share,
}


def main() -> None:
    """Measure one of them, print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=list(WHAT), default="rules")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rows", type=int, help="rows of rules and of scale")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    options = parser.parse_args()
    print(json.dumps({"bench": "rows", "what": options.what, "runs": WHAT[options.what](options)}))


if __name__ == "__main__":
    main()
