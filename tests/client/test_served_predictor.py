"""A model of a server, asked as a predictor of this process."""

from __future__ import annotations

import dataclasses

import httpx2
import pytest

from fastbert.client.answers import ServedModel
from fastbert.client.client import Client
from fastbert.client.served_predictor import ServedPredictor
from fastbert.data.examples import TextExample
from fastbert.data.layout import Layout
from fastbert.errors import ConfigError, ServerError
from tests.client.scripted import Script
from tests.serving.asking import Asker

MODEL = ServedModel("m", "1", "single_label", answer_columns=("predicted",))
LAYOUT = Layout("text", None, ("label",), "column", None, "single_label", None, None)


def with_models(*names: str) -> Client:
    facts = [{**dataclasses.asdict(MODEL), "name": name} for name in names]
    reply = httpx2.Response(200, json={"models": names, "details": facts})
    return Client("http://s", transport=httpx2.MockTransport(Script(reply)))


def test_the_first_model_answers_unless_one_is_named() -> None:
    assert ServedPredictor.find(with_models("one", "two")).model.name == "one"
    assert ServedPredictor.find(with_models("one", "two"), "two").model.name == "two"


def test_an_unknown_model_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="http://s has no model 'tow'; it has one, two") as caught:
        ServedPredictor.find(with_models("one", "two"), "tow")

    assert caught.value.hint == "Did you mean 'two'?"


def test_a_server_without_models_is_told() -> None:
    with pytest.raises(ConfigError, match="http://s has no model"):
        ServedPredictor.find(with_models())


def test_tables_are_read_as_the_training_table_was() -> None:
    client = with_models()

    assert ServedPredictor(client, dataclasses.replace(MODEL, layout=LAYOUT.to_json())).layout == LAYOUT
    assert ServedPredictor(client, MODEL).layout is None


def test_examples_are_answered_in_order(server: Asker) -> None:
    with Client(server.address) as client:
        predictor = ServedPredictor.find(client)
        found = predictor.predict_examples([TextExample("bug", where="row 1"), TextExample("", where="row 2")])

    assert [one.text for one in found] == ["bug", ""]
    assert all(len(one.cells) == len(predictor.answer_columns) for one in found)


def test_answers_of_another_version_are_refused() -> None:
    client = Client("http://s", transport=httpx2.MockTransport(Script(version="2")))

    with pytest.raises(ServerError, match="the model was replaced by another version"):
        ServedPredictor(client, MODEL).predict_examples([TextExample("a")])
