"""Made rows of real tables against held-out rows, by a judge that ilk does not know. One JSON line.

    .venv/bin/python bench/tables.py --table adult --seeds 0
    .venv/bin/python bench/tables.py --table german abalone wide --seeds 0 1 2 --peer cart

Adult has its official split; of another table a seed draws 30 % of the rows that nothing learns from; ``wide`` is 7,000
rows of 100 numbers that follow 20 hidden ones, and a class. Of each table and seed, and of the same from real rows:

    critic       AUC of five-fold LightGBM (150 trees) for made rows against equally many held-out ones; .5 is best
    tstr         LightGBM learns the target from made rows, and is tested on held-out ones: AUC, or R2 of a number
    copies       share of made rows equal to a training row
    closest      share of made rows whose nearest real row is a training row, held-out rows being as many; .5 is best
    membership   AUC of an attack that takes rows near to made ones for training rows; .5 is best

LightGBM is no dependency of ilk: ``pip install lightgbm`` puts the judge beside it. ``--peer cart`` judges plain
sequential trees in the table's order (leaves of 5 rows, nothing smoothed) in the same run, ``--peer mostlyai``
mostlyai-engine; ``--sdmetrics`` adds that package's scores, in which independent columns already get .98.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd  # type: ignore[import-untyped,unused-ignore]

import ilk

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data" / "tables"
ADULT = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship", "race",
    "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
)  # fmt: skip
TARGETS = {
    "adult": "income", "german": "20", "abalone": "8", "phoneme": "5", "mammography": "6", "taxis": "total",
    "diamonds": "price", "penguins": "species", "wide": "kind",
}  # fmt: skip
NUMBERS = ("abalone", "taxis", "diamonds")  # tables whose target is a number
HEADERLESS = ("german", "abalone", "phoneme", "mammography")
ATTACKED = 3_000  # rows of a set, and made rows, whose nearest ones are looked for
Floats = npt.NDArray[np.float64]


class Made(NamedTuple):
    """Rows as many as were asked for, and what they took."""

    rows: pd.DataFrame
    fit: float
    rows_a_second: float


def load(name: str, folder: Path, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training and held-out rows."""
    if name == "adult":
        read = [_csv(folder / f"adult-{part}.csv.gz", header=None, names=list(ADULT)) for part in ("train", "test")]
        return read[0], read[1].assign(income=read[1]["income"].str.rstrip("."))
    table = wide() if name == "wide" else _csv(_path(folder, name), header=None if name in HEADERLESS else "infer")
    table.columns = [str(column) for column in table.columns]
    order = np.random.default_rng(seed).permutation(len(table))
    held = len(table) * 3 // 10
    train, test = (table.iloc[part].reset_index(drop=True) for part in (order[held:], order[:held]))
    return train, test


def _path(folder: Path, name: str) -> Path:
    plain = folder / f"{name}.csv"
    return plain if plain.exists() else folder / f"{name}.csv.gz"


def _csv(path: Path, **options: Any) -> pd.DataFrame:
    table: pd.DataFrame = pd.read_csv(path, skipinitialspace=True, **options)
    dates = [column for column in ("pickup", "dropoff") if column in table]
    return table.assign(**{column: pd.to_datetime(table[column]) for column in dates})


def wide(rows: int = 7_000, columns: int = 100, rank: int = 20) -> pd.DataFrame:
    """Numbers that follow a few hidden ones, and a class that follows them too."""
    random = np.random.default_rng(0)
    hidden, mix = random.standard_normal((rows, rank)), random.standard_normal((rank, columns)) / np.sqrt(rank)
    x = hidden @ mix + 0.1 * random.standard_normal((rows, columns))
    table = pd.DataFrame(np.round(x, 4), columns=[f"x{place}" for place in range(columns)])
    kind = hidden[:, 0] + hidden[:, 1] * hidden[:, 2] + 0.5 * random.standard_normal(rows) > 0
    return table.assign(kind=np.where(kind, "yes", "no"))


def make_ilk(train: pd.DataFrame, count: int, seed: int, settings: dict[str, Any]) -> Made:
    """What a user gets."""
    start = time.perf_counter()
    generator = ilk.Generator(holdout=0.0, threads=1, random_state=seed, **settings).fit(train)
    fit = time.perf_counter() - start
    start = time.perf_counter()
    rows: pd.DataFrame = generator.sample(count, seed=seed).data
    return Made(rows.reset_index(drop=True), fit, count / (time.perf_counter() - start))


def make_cart(train: pd.DataFrame, count: int, seed: int, settings: dict[str, Any]) -> Made:  # noqa: ARG001
    """Plain sequential trees: Reiter, "Using CART to generate partially synthetic public use microdata", 2005."""
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    start, random = time.perf_counter(), np.random.default_rng(seed)
    (real,), levels = numbers([train])
    real = np.where(np.isnan(real), np.nanmin(real, axis=0) - 1, real)
    trees: list[tuple[Any, list[npt.NDArray[np.int64]]]] = []
    for place in range(1, real.shape[1]):
        sort = DecisionTreeClassifier if levels[place] else DecisionTreeRegressor
        tree: Any = sort(min_samples_leaf=5, random_state=seed).fit(real[:, :place], real[:, place])
        leaf = tree.apply(real[:, :place])
        order = np.argsort(leaf, kind="stable")
        trees.append((tree, np.split(order, np.cumsum(np.bincount(leaf))[:-1])))
    fit = time.perf_counter() - start
    start = time.perf_counter()
    donor = np.zeros((count, real.shape[1]), np.int64)
    donor[:, 0] = random.integers(0, len(real), count)
    for place, (tree, rows) in enumerate(trees, 1):
        before = np.stack([real[donor[:, j], j] for j in range(place)], axis=1)
        donor[:, place] = [rows[leaf][int(u * len(rows[leaf]))] for leaf, u in zip(tree.apply(before), random.random(count), strict=True)]  # fmt: skip  # noqa: E501
    made = {column: train[column].to_numpy()[donor[:, j]] for j, column in enumerate(train.columns)}
    return Made(pd.DataFrame(made), fit, count / (time.perf_counter() - start))


def make_mostlyai(train: pd.DataFrame, count: int, seed: int, settings: dict[str, Any]) -> Made:
    """TabularARGN of mostlyai-engine, in as many minutes."""
    engine = needed("mostlyai.engine", "mostlyai-engine")
    engine.set_random_state(seed)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        engine.split(workspace_dir=folder, tgt_data=train, model_type="TABULAR")
        engine.analyze(workspace_dir=folder)
        engine.encode(workspace_dir=folder)
        engine.train(workspace_dir=folder, max_training_time=settings.get("minutes", 3.0), device="cpu")
        fit = time.perf_counter() - start
        start = time.perf_counter()
        engine.generate(workspace_dir=folder, sample_size=count)
        took = time.perf_counter() - start
        return Made(pd.read_parquet(Path(folder) / "SyntheticData")[list(train.columns)], fit, count / took)


MAKERS: dict[str, Callable[..., Made]] = {"none": make_ilk, "cart": make_cart, "mostlyai": make_mostlyai}


def needed(module: str, package: str) -> Any:
    """A module that only the benchmark needs."""
    try:
        return importlib.import_module(module)
    except ImportError:
        raise SystemExit(f"This needs {package}, which ilk does not: pip install {package}") from None


def numbers(tables: Sequence[pd.DataFrame]) -> tuple[list[Floats], npt.NDArray[np.bool_]]:
    """All tables as numbers: places of levels, seconds of dates; and which columns hold levels."""
    parts: list[list[Floats]] = [[] for _ in tables]
    levels = []
    for column in tables[0].columns:
        series = [table[column] for table in tables]
        level = not (pd.api.types.is_numeric_dtype(series[0]) or pd.api.types.is_datetime64_any_dtype(series[0]))
        levels.append(level)
        if level:
            known = sorted({str(value) for each in series for value in each.dropna().unique()})
            place = {value: float(at) for at, value in enumerate(known)}
            series = [each.map(lambda value, place=place: place.get(str(value), np.nan)) for each in series]
        for part, each in zip(parts, series, strict=True):
            seconds = pd.api.types.is_datetime64_any_dtype(each)
            part.append(each.astype("datetime64[s]").astype(np.int64).to_numpy(np.float64) if seconds else
                        each.astype(np.float64).to_numpy())  # fmt: skip
    return [np.stack(part, axis=1) for part in parts], np.array(levels)


def critic(first: Floats, second: Floats, seed: int) -> float:
    """AUC of five-fold boosted trees between two sets of rows."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    judge = needed("lightgbm", "lightgbm").LGBMClassifier(n_estimators=150, verbose=-1, num_threads=1)
    count = min(len(first), len(second))
    x, y = np.concatenate([first[:count], second[:count]]), np.repeat([1, 0], count)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return float(roc_auc_score(y, cross_val_predict(judge, x, y, cv=folds, method="predict_proba")[:, 1]))


def useful(train: Floats, test: Floats, target: int, *, number: bool) -> float:
    """What a model of the target that learned from some rows is worth on held-out ones."""
    from sklearn.metrics import r2_score, roc_auc_score

    lightgbm, others = needed("lightgbm", "lightgbm"), np.arange(train.shape[1]) != target
    sort = lightgbm.LGBMRegressor if number else lightgbm.LGBMClassifier
    model = sort(n_estimators=150, verbose=-1, num_threads=1).fit(train[:, others], train[:, target])
    if number:
        return float(r2_score(test[:, target], model.predict(test[:, others])))
    chance, known = model.predict_proba(test[:, others]), list(model.classes_)
    areas = [roc_auc_score(test[:, target] == each, chance[:, known.index(each)]) for each in known[1:]]
    return float(np.mean(areas))


def near(parts: dict[str, Floats], levels: npt.NDArray[np.bool_]) -> dict[str, float]:
    """How near made rows are to training rows, beside held-out ones."""
    from sklearn.metrics import roc_auc_score

    size = min(len(parts["train"]), len(parts["held"]), ATTACKED)
    points = _points(parts, levels)
    made, train, held = points["made"], points["train"][:size], points["held"][:size]
    apart = _nearest(made[:ATTACKED], train) - _nearest(made[:ATTACKED], held)
    known = {row.tobytes() for row in parts["train"]}
    copies = {part: np.mean([row.tobytes() in known for row in parts[part]]) for part in ("made", "held")}
    closer = np.concatenate([-_nearest(train, made), -_nearest(held, made)])
    return {
        "copies": round(float(copies["made"]), 4),
        "real_copies": round(float(copies["held"]), 4),
        "closest": round(float(np.mean(np.where(np.abs(apart) < 1e-6, 0.5, apart < 0))), 4),
        "membership": round(float(roc_auc_score(np.repeat([1, 0], size), closer)), 4),
    }


def _points(parts: dict[str, Floats], levels: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.float32]]:
    """Numbers by their rank among training rows, levels one apart, missing values as one more."""
    out: dict[str, list[Floats]] = {part: [] for part in parts}
    for j, level in enumerate(levels):
        column = parts["train"][:, j]
        known = np.sort(column[~np.isnan(column)])
        for part, rows in parts.items():
            x, missing = rows[:, j], np.isnan(rows[:, j])[:, None]
            middle = (np.searchsorted(known, x, "left") + np.searchsorted(known, x, "right")) / (2 * max(1, len(known)))
            seen = (x[:, None] == np.unique(known)) * np.sqrt(0.5) if level else np.where(missing, 0.5, middle[:, None])
            out[part] += [np.asarray(seen, np.float64), missing.astype(np.float64)]
    return {part: np.concatenate(each, axis=1).astype(np.float32) for part, each in out.items()}


def _nearest(rows: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> Floats:
    square = (others**2).sum(axis=1)
    parts = [
        (square - 2 * some @ others.T).min(axis=1) + (some**2).sum(axis=1)
        for some in np.array_split(rows, max(1, len(rows) // 500))
    ]
    return np.asarray(np.sqrt(np.maximum(np.concatenate(parts), 0)), np.float64)


def judged(name: str, tables: Sequence[pd.DataFrame], made: Made, seed: int) -> dict[str, Any]:
    """All numbers of one table and seed."""
    train, test = tables
    (known, held, new), levels = numbers([train, test, made.rows[list(train.columns)]])
    shuffled = np.random.default_rng(seed).permutation(len(known))
    target, number = train.columns.get_loc(TARGETS[name]), name in NUMBERS
    result = {"table": name, "seed": seed, "fit": round(made.fit, 2), "rows_a_second": round(made.rows_a_second)}
    result |= {"critic": round(critic(new, held, seed), 4)}
    result |= {"real_critic": round(critic(known[shuffled], held, seed), 4)}
    result |= {"tstr": round(useful(new, held, target, number=number), 4)}
    result |= {"real_tstr": round(useful(known, held, target, number=number), 4)}
    return result | near({"made": new, "train": known[shuffled], "held": held}, levels)


def quality(held: pd.DataFrame, made: pd.DataFrame) -> dict[str, float]:
    """Column shapes and pair trends of sdmetrics, against held-out rows: 1 is best."""
    report = needed("sdmetrics.reports.single_table", "sdmetrics").QualityReport()
    sorts = {
        name: "datetime" if pd.api.types.is_datetime64_any_dtype(each)
        else "numerical" if pd.api.types.is_numeric_dtype(each) else "categorical"
        for name, each in held.items()
    }  # fmt: skip
    columns = {name: {"sdtype": sort} for name, sort in sorts.items()}
    report.generate(held, made[list(held.columns)], {"columns": columns}, verbose=False)
    scores = report.get_properties().set_index("Property")["Score"]
    return {"shapes": round(float(scores["Column Shapes"]), 4), "trends": round(float(scores["Column Pair Trends"]), 4)}


def main() -> None:
    """Fit, sample, judge, print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", nargs="+", choices=list(TARGETS), default=["adult"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the tables")
    parser.add_argument("--train", type=int, help="most training rows")
    parser.add_argument("--test", type=int, help="most held-out rows")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--sdmetrics", action="store_true", help="column shapes and pair trends of sdmetrics as well")
    parser.add_argument("--peer", choices=list(MAKERS), default="none")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    needed("lightgbm", "lightgbm")
    runs = []
    for name in options.table:
        for seed in options.seeds:
            train, test = load(name, options.data, seed)
            train, test = train[: options.train], test[: options.test]
            for who in dict.fromkeys(["none", options.peer]):
                made = MAKERS[who](train, max(len(train), len(test)), seed, {"minutes": options.minutes})
                known = {"maker": "ilk" if who == "none" else who, **judged(name, (train, test), made, seed)}
                runs.append(known | (quality(test, made.rows) if options.sdmetrics else {}))
    asked = {"minutes": options.minutes, "train": options.train, "test": options.test, "peer": options.peer}
    print(json.dumps({"bench": "tables", **asked, "runs": runs}))


if __name__ == "__main__":
    main()
