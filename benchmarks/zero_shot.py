"""Labels without training, by descriptions, against the most frequent label and against a model of a few hundred rows.

The descriptions were written once, from what the labels mean, and not changed after seeing test rows. Temperature and
threshold, the defaults of FastBert, are chosen by `choose` on training rows alone. The trained model is FastBert with
no options on so many training rows, drawn once.

    python benchmarks/zero_shot.py table
    python benchmarks/zero_shot.py choose
"""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# A script sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import datasets, own
from benchmarks.datasets import Benchmark, Row
from benchmarks.scoring import score
from fastbert.inference.embedder import Embedder
from fastbert.inference.zero_shot import ZeroShotLabeller, softmax

TEMPERATURES = (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1, 0.15, 0.2, 0.3)
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(2, 13))
TRAINED_ROWS = 300
CHOOSING_ROWS = 1_000  # of GoEmotions, for the threshold

NAMES = {
    "trec6": {
        "ABBR": ["abbreviation"],
        "DESC": ["description"],
        "ENTY": ["entity"],
        "HUM": ["human"],
        "LOC": ["location"],
        "NUM": ["number"],
    },
    "app_reviews": {name: [name] for name in ("bug report", "feature request", "rating", "user experience")},
}
DESCRIPTIONS = {
    "trec6": {
        "ABBR": ["What does an abbreviation stand for, or what is something abbreviated to?"],
        "DESC": ["What is the definition, meaning, description, manner or reason of something?"],
        "ENTY": ["What thing: an animal, product, color, food, sport, event, disease, plant, work or word?"],
        "HUM": ["Who is the person or group of people?"],
        "LOC": ["Where is the place: a city, country, mountain or state?"],
        "NUM": ["How many or how much: a number, date, distance, age, money, speed or percentage?"],
    },
    "app_reviews": {
        "bug report": ["The app has a bug: it crashes, freezes, shows an error or does not work."],
        "feature request": ["Please add a feature, an option or an improvement to the app."],
        "rating": ["Great app, love it, five stars. Bad app, one star."],
        "user experience": ["The app is easy to use and helps me in what I do with it every day."],
    },
}
EXAMPLES = {
    "trec6": {
        "ABBR": ["What does the abbreviation stand for?", "What is the acronym for this name?"],
        "DESC": [
            "What does this word mean?",
            "Why does this happen?",
            "How do I do this?",
            "What is the origin of this?",
        ],
        "ENTY": [
            "What animal is this?",
            "What is the name of this book or film?",
            "What product, food or color is it?",
            "Which sport, game or disease is it?",
        ],
        "HUM": ["Who did this?", "What is the name of the person?", "Which company or team did this?"],
        "LOC": [
            "Where is this place?",
            "What city or country is this?",
            "What is the highest mountain or the longest river?",
        ],
        "NUM": [
            "How many are there?",
            "When did it happen, in what year?",
            "How far, how long or how much is it?",
            "What is the population, the price or the temperature?",
        ],
    },
    "app_reviews": {
        "bug report": ["It crashes when I open it.", "It does not work since the update.", "I get an error message."],
        "feature request": [
            "Please add an option for this.",
            "It would be nice to have this.",
            "I wish it could do it.",
        ],
        "rating": ["Great app!", "I love it, five stars.", "Worst app ever, one star."],
        "user experience": ["I use it every day for my work.", "It is easy to use and helps me to keep track."],
    },
}
WAYS: dict[str, Mapping[str, Mapping[str, Sequence[str]]]] = {
    "names alone": NAMES,
    "a description each": DESCRIPTIONS,
    "example phrases": EXAMPLES,
}


def measure(benchmark: Benchmark, embed: Embedder) -> dict[str, dict[str, float]]:
    """Return test scores by the most frequent training label, by each way to describe labels, by training."""
    rows = benchmark.tests["test"]
    common = Counter(names for _, _, names in benchmark.train).most_common(1)[0][0]
    scores = {"most frequent label": score(benchmark, rows, [common] * len(rows))}
    for way, labels in WAYS.items():
        answers = ZeroShotLabeller.of(embed, labels[benchmark.name])([text for text, _, _ in rows])
        scores[way] = score(benchmark, rows, [answer.labels for answer in answers])
    drawn = np.random.default_rng(0).permutation(len(benchmark.train))[:TRAINED_ROWS]
    few = replace(benchmark, train=[benchmark.train[row] for row in drawn])
    scores[f"trained on {TRAINED_ROWS} rows"] = own.run(few, seed=0, options={})["scores"]["test"]
    return scores


def table(measured: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Return accuracy and macro F1 of each data set and way as Markdown."""
    names = list(measured)
    lines = ["| labels by | " + " | ".join(f"{name} accuracy | {name} macro F1" for name in names) + " |"]
    lines.append("|---|" + "---|" * (2 * len(names)))
    for way in next(iter(measured.values())):
        cells = [f"{measured[name][way][what]:.3f}" for name in names for what in ("accuracy", "f1_macro")]
        lines.append(f"| {way} | {' | '.join(cells)} |")
    return "\n".join(lines)


def log_losses(rows: Sequence[Row], labeller: ZeroShotLabeller) -> dict[float, float]:
    """Return the mean log loss of the true labels of rows, by temperature."""
    cosines_NC, _ = labeller.cosines([text for text, _, _ in rows])
    truth_N = np.array([labeller.names.index(names[0]) for _, _, names in rows])
    chosen = np.arange(len(rows))
    return {
        temperature: float(-np.log(softmax(cosines_NC / temperature)[chosen, truth_N]).mean())
        for temperature in TEMPERATURES
    }


def micro_f1s(rows: Sequence[Row], labeller: ZeroShotLabeller) -> dict[float, float]:
    """Return the micro F1 of all labels whose cosine is at least a threshold, by threshold."""
    cosines_NC, _ = labeller.cosines([text for text, _, _ in rows])
    truth_NC: npt.NDArray[np.bool_] = np.array([[name in names for name in labeller.names] for _, _, names in rows])
    found = {}
    for threshold in THRESHOLDS:
        given_NC = cosines_NC >= threshold
        found[threshold] = float(2 * (given_NC & truth_NC).sum() / max(1, given_NC.sum() + truth_NC.sum()))
    return found


def choose(embed: Embedder) -> None:
    """Print what the defaults are chosen by: training questions of TREC, training comments of GoEmotions."""
    rows = datasets.load("trec6").train
    for way, labels in WAYS.items():
        losses = log_losses(rows, ZeroShotLabeller.of(embed, labels["trec6"]))
        print(f"log loss by temperature, trec6, {way}: {rounded(losses)}")
    emotions = datasets.load("goemotions")
    f1s = micro_f1s(emotions.train[:CHOOSING_ROWS], ZeroShotLabeller.of(embed, emotions.labels, multi=True))
    print(f"micro F1 by threshold, goemotions, names alone: {rounded(f1s)}")


def rounded(values: Mapping[float, float]) -> str:
    """Return numbers by number in one line."""
    return ", ".join(f"{key:g} {value:.3f}" for key, value in values.items())


def main() -> int:
    """Print the table, or what temperature and threshold are chosen by."""
    parser = argparse.ArgumentParser(description="Labels without training")
    parser.add_argument("action", choices=("table", "choose"))
    embed = Embedder.open("minilm")
    if parser.parse_args().action == "choose":
        choose(embed)
    else:
        print(table({name: measure(datasets.load(name), embed) for name in NAMES}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
