"""A search with scikit-learn: which learning rate, by cross-validation. The best model is saved as a bundle."""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from sklearn.model_selection import GridSearchCV, KFold

from fastbert import FastBertClassifier

DATA = Path(__file__).parent / "data" / "feedback"


def main(out: Path, *, encoder: str = "minilm", epochs: float = 4) -> FastBertClassifier:
    """Try two rates on three splits each, print what was found, and save the model of the better one."""
    # without keep_default_na=False pandas would take the text "N/A" for none at all
    table, test = (pd.read_csv(DATA / f"{name}.csv", keep_default_na=False) for name in ("train", "test"))
    labels = list(table.columns[2:])  # 0/1 columns behind id and text: several labels a row
    search = GridSearchCV(
        FastBertClassifier(encoder=encoder, epochs=epochs),
        {"lr": [1e-4, 3e-4]},
        scoring="f1_macro",
        cv=KFold(3, shuffle=True, random_state=0),
    )
    search.fit(table["text"], table[labels])
    for rate, score in zip(search.cv_results_["param_lr"], search.cv_results_["mean_test_score"], strict=True):
        print(f"lr {rate:g}: macro F1 {score:.3f} in cross-validation")
    best: FastBertClassifier = search.best_estimator_  # trained again, on all rows
    print(f"macro F1 on the test rows: {search.score(test['text'], test[labels]):.3f}")
    best.save(out, overwrite=True)
    return best


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("grid-search-model"))
