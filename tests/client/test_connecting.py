"""Addresses, keys and reasons: what both clients share."""

from __future__ import annotations

import httpx2
import pytest

from fastbert.client.connecting import Connected, checked_address, headers_of, key_headers, lost
from fastbert.client.exchange import Call
from fastbert.errors import ConfigError


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://localhost:8080", "http://localhost:8080"),
        ("https://example.com/models/", "https://example.com/models"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_an_address_has_no_slash_at_its_end(url: str, address: str) -> None:
    assert checked_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "ftp://a",
        "http://",
        "http://a:b",
        "http://a:99999",
        "http://a b",
        "http://a?k=1",
        "http://a\n",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address of a server") as caught:
        checked_address(url)

    assert caught.value.hint == "Write it with http:// or https://, such as http://localhost:8080."


def test_an_address_with_a_key_is_refused_without_showing_it() -> None:
    with pytest.raises(ConfigError, match="holds a user or a key") as caught:
        checked_address("http://me:secret@example.com")

    assert "secret" not in str(caught.value)


def test_a_key_is_sent_as_a_bearer() -> None:
    assert key_headers(" abc\n") == {"Authorization": "Bearer abc"}
    assert key_headers("") == {}


@pytest.mark.parametrize("key", ["secret key", "secret\r\nX-A: b", "sécret", "secret\x00"])
def test_what_no_header_can_hold_is_no_key(key: str) -> None:
    with pytest.raises(ConfigError, match="The API key has characters that no key has") as caught:
        key_headers(key)

    assert key not in str(caught.value)


def test_the_key_comes_from_the_environment_unless_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FASTBERT_API_KEY", "outer")

    assert Connected("http://a", None, 1.0, 0)._key == {"Authorization": "Bearer outer"}
    assert Connected("http://a", "inner", 1.0, 0)._key == {"Authorization": "Bearer inner"}
    assert Connected("http://a", "", 1.0, 0)._key == {}


def test_a_client_shows_its_address_and_not_its_key() -> None:
    assert repr(Connected("http://a", "secret", 1.0, 0)) == "Connected(http://a)"


def test_a_body_is_json() -> None:
    assert headers_of(Call("POST", "/", b"{}")) == {"Content-Type": "application/json"}
    assert headers_of(Call("GET", "/")) == {}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (httpx2.ConnectTimeout("secret"), "no connection in time"),
        (httpx2.ReadTimeout("secret"), "no answer in time"),
        (httpx2.ConnectError("secret"), "no connection"),
        (httpx2.ReadError("secret"), "the connection broke"),
        (httpx2.RemoteProtocolError("secret"), "the connection broke"),
        (httpx2.ProxyError("secret"), "the proxy does not let it through"),
        (httpx2.DecodingError("secret"), "an answer that is garbled"),
        (httpx2.TooManyRedirects("secret"), "TooManyRedirects"),
    ],
)
def test_a_reason_is_for_people_and_holds_nothing_that_was_sent(error: httpx2.RequestError, reason: str) -> None:
    assert lost(error).reason == reason
