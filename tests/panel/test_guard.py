"""Who comes in: by host without a token, by token with one, and no page of another origin at all."""

from __future__ import annotations

import pytest

from ipo_sim.errors import CommandRejected, ConfigError
from ipo_sim.panel.guard import admit
from ipo_sim.panel.settings import HttpSettings, is_loopback
from tests.panel.served import TOKEN


def refusal(headers: dict[str, str], token: str | None) -> str | None:
    """The reason why a request stays outside, unless the text tells the token."""
    try:
        admit(headers, token)
    except CommandRejected as error:
        return "told" if TOKEN in str(error) else error.reason
    return None


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:80", "127.1.2.3", "[::1]:8080", "[::1]"])
def test_without_a_token_loopback_names_come_in(host: str) -> None:
    assert refusal({"Host": host}, None) is None


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.0.1", "[::1", "0.0.0.0", "[]:8"],  # noqa: S104 - none of them comes in
)
def test_other_names_do_not(host: str) -> None:
    assert refusal({"Host": host}, None) == "wrong-host"


@pytest.mark.parametrize("said", [f"Bearer {TOKEN}", f"bearer  {TOKEN} "])
def test_the_token_opens_by_any_name(said: str) -> None:
    assert refusal({"Host": "bench.lab", "Authorization": said}, TOKEN) is None


@pytest.mark.parametrize("said", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN[:-1]}", "Bearer ü"])
def test_anything_else_does_not(said: str) -> None:
    assert refusal({"Host": "localhost", "Authorization": said}, TOKEN) == "unauthorized"


@pytest.mark.parametrize("token", [None, TOKEN], ids=["open", "token"])
def test_a_page_of_another_origin_is_kept_out(token: str | None) -> None:
    headers = {"Host": "localhost:8080", "Authorization": f"Bearer {TOKEN}"}
    assert refusal(headers | {"Origin": "http://localhost:8080"}, token) is None
    for origin in ("http://localhost:9090", "https://evil.example", "null"):
        assert refusal(headers | {"Origin": origin}, token) == "wrong-origin"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4"])  # noqa: S104 - refused, or with a token
def test_others_are_served_with_a_token_only(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="needs a token_file"):
        HttpSettings(8080, host)
    assert TOKEN not in repr(HttpSettings(8080, host, TOKEN))


@pytest.mark.parametrize("host", ["bench.lab", "", "127.0.0.1:80", "eth0"])
def test_a_name_is_no_address(host: str) -> None:
    with pytest.raises(ConfigError, match="an IP address of this machine"):
        HttpSettings(8080, host, TOKEN)


def test_the_url_names_the_port_that_it_got() -> None:
    assert HttpSettings(8080).url() == "http://127.0.0.1:8080"
    assert HttpSettings(0, "::1").url(5) == "http://[::1]:5"
