"""Does the decision about more training data hold on rows that it never saw? One JSON line.

    .venv/bin/python bench/augment.py --data ../shared/data/tables --seeds 0 1 2 3 4

``decisions``: for each table, model and seed every candidate is fitted on the training rows and held against test rows
that no comparison saw. ``regret`` is the log-loss of what was decided less that of nothing (below 0 is better than
nothing), ``oracle`` that of the candidate that turned out best on the test rows; ``share`` is the part of the oracle's
gain that was got. ``rows_oracle`` may add rows only.

``shuffled``: labels in random order, in imbalanced-learn's pipeline and scikit-learn's cross-validation. ``auc`` has to
be 0.5, and ``refused`` counts the seeds whose answer is to leave the rows alone.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
from imblearn.pipeline import make_pipeline
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold, cross_validate, train_test_split

import ilk
from ilk.core import events
from ilk.tasks.augment.answer import Wish, ask, carry_out
from ilk.tasks.augment.candidates import NOTHING, ROWS
from ilk.tasks.augment.compare import compare
from ilk.tasks.augment.decide import decide
from ilk.tasks.augment.labels import read_label
from ilk.tasks.augment.material import UnableError
from ilk.tasks.augment.tables import Tables

TABLES = {  # the file, and rows to learn from
    "german": ("german", 600),
    "phoneme-500": ("phoneme", 500),
    "adult-500": ("adult", 500),
    "adult-2000": ("adult", 2000),
    "mammography": ("mammography", 5591),
}
MOST_TEST = 8_000


def frame(folder: Path, name: str) -> pd.DataFrame:
    """A table of the folder, its last column the label; of adult the training rows and then the test rows."""
    files = [f"{name}.csv"] if name != "adult" else ["adult-train.csv.gz", "adult-test.csv.gz"]
    data = pd.concat([pd.read_csv(folder / file, header=None, skipinitialspace=True) for file in files])
    return data.reset_index(drop=True).rename(columns=lambda place: f"x{place}")


def split(folder: Path, table: str, seed: int) -> tuple[Any, Any, Any, Any]:
    """X and y to learn from, X and y to test on."""
    name, rows = TABLES[table]
    data = frame(folder, name)
    label = data.columns[-1]
    y = data[label].astype(str).str.strip().str.rstrip(".")
    X = data.drop(columns=[label])
    train, test = train_test_split(np.arange(len(X)), train_size=rows, stratify=y, random_state=seed)
    test = test[:MOST_TEST]
    return X.iloc[train], y.iloc[train], X.iloc[test], y.iloc[test]


def one(options: argparse.Namespace, table: str, model: str, seed: int) -> dict[str, Any]:
    """What was decided, and what every candidate gets on the test rows."""
    folder, scoring, candidates = options.data, options.scoring, options.candidates
    X, y, X_test, y_test = split(folder, table, seed)
    label, material = read_label(y.to_numpy(), "label"), Tables(X, {})
    started = time.monotonic()
    question, _, _ = ask(material, label, Wish(model, scoring, candidates, minutes=10, seed=seed))
    compared = compare(question, events.ignore)
    decision = decide(compared, question.candidates, question.stronger, question.metric, label, seed)
    seconds = time.monotonic() - started
    losses: dict[str, float] = {}
    for name in question.candidates:
        if name not in compared.predicted:
            continue
        try:
            fitted, _, _ = carry_out(question, name, compared)
        except (UnableError, ilk.InputError):
            continue
        losses[name] = float(log_loss(y_test, fitted.predict_proba(X_test), labels=label.levels.tolist()))
    rows = {name: loss for name, loss in losses.items() if question.candidates[name].tier in (ROWS, NOTHING)}
    got = {"table": table, "model": model, "seed": seed, "decision": decision.name, "stronger": decision.stronger}
    got |= {"nothing": losses[NOTHING], "decided": losses[decision.name], "oracle": min(losses.values())}
    got |= {"oracle_is": min(losses, key=losses.__getitem__), "rows_oracle": min(rows.values()), "seconds": seconds}
    got["losses"] = losses
    return got


def shuffled(folder: Path, table: str, seed: int, rows: int) -> dict[str, Any]:
    """Labels in random order: what is decided on all rows, and the AUC of the pipeline on parts it never saw."""
    X, y, _, _ = split(folder, table, seed)
    X, y = X.iloc[:rows], y.iloc[:rows].sample(frac=1.0, random_state=seed).reset_index(drop=True)
    boosting = HistGradientBoostingClassifier(random_state=seed)
    augmenter = ilk.Augmenter(boosting, random_state=seed, minutes=10)
    augmenter.fit_resample(X, y)
    folds = StratifiedKFold(3, shuffle=True, random_state=seed)
    pipeline = make_pipeline(ilk.Augmenter(boosting, random_state=seed, minutes=10), boosting)
    done = cross_validate(pipeline, X, y, cv=folds, scoring="roc_auc", return_estimator=True)
    inner = [each[0].decision_ for each in done["estimator"]]
    return {"seed": seed, "decision": augmenter.decision_, "folds": inner, "auc": float(np.mean(done["test_score"]))}


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Over tables, models and seeds."""
    regret = float(np.mean([run["decided"] - run["nothing"] for run in runs]))
    oracle = float(np.mean([run["oracle"] - run["nothing"] for run in runs]))
    rows = float(np.mean([run["rows_oracle"] - run["nothing"] for run in runs]))
    share = regret / oracle if oracle else 1.0
    return {
        "regret": round(regret, 4),
        "oracle": round(oracle, 4),
        "rows_oracle": round(rows, 4),
        "share": round(share, 3),
    }


def rounded(value: Any) -> Any:
    """Numbers as a person reads them."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def main() -> None:
    """Decide, test, print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    home = os.environ.get("ILK_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=Path(home) / "tables")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES))
    parser.add_argument("--models", nargs="+", default=["boosting", "logistic"])
    parser.add_argument("--scoring", default="log_loss")
    parser.add_argument("--candidates", nargs="+", help="to compare these only; all by default")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2, 3, 4])
    parser.add_argument("--shuffles", type=int, nargs="*", default=list(range(10)))
    parser.add_argument("--rows", type=int, default=500, help="of the table with shuffled labels")
    options = parser.parse_args()
    runs = [
        one(options, table, model, seed)
        for table in options.tables
        for model in options.models
        for seed in options.seeds
    ]
    mixed = [shuffled(options.data, "phoneme-500", seed, options.rows) for seed in options.shuffles]
    result: dict[str, Any] = {"bench": "augment", "scoring": options.scoring, "candidates": options.candidates}
    if runs:
        result |= {"all": summary(runs)}
        result |= {m: summary([run for run in runs if run["model"] == m]) for m in options.models}
    if mixed:
        auc = float(np.mean([run["auc"] for run in mixed]))
        refused = sum(run["decision"] == NOTHING for run in mixed)
        result["shuffled"] = {"auc": round(auc, 4), "refused": refused, "of": len(mixed), "runs": mixed}
    print(json.dumps(rounded(result | {"runs": runs})))


if __name__ == "__main__":
    main()
