"""Settings that cannot be kept are refused before anything is served."""

from __future__ import annotations

import pytest

from fastbert.errors import ConfigError
from fastbert.serving.settings import Limits, Settings


@pytest.mark.parametrize("value", [0, -1, float("nan"), True])
def test_a_limit_is_a_number_above_0(value: float) -> None:
    with pytest.raises(ConfigError, match="texts is"):
        Limits(texts=value)  # type: ignore[arg-type]


def test_an_unknown_contract_is_refused() -> None:
    with pytest.raises(ConfigError, match="contract is 'torchserve'"):
        Settings(contract="torchserve")


def test_pages_of_any_site_may_not_use_keys() -> None:
    with pytest.raises(ConfigError, match="may not ask a server with API keys"):
        Settings(api_keys=("k" * 32,), cors_origins=("*",))


def test_a_wait_has_a_sensible_length() -> None:
    with pytest.raises(ConfigError, match="linger_s is -1"):
        Settings(linger_s=-1)
