"""What ``serve`` says at its start."""

from __future__ import annotations

from service.http.config import ServiceConfig
from service.start_notes import listening, misspelt, start_notes
from service.token_store import Token

TOKEN = Token("0123456789abcdef", "/etc/token")


def notes(token: Token = TOKEN, **config: object) -> list[str]:
    return list(start_notes(ServiceConfig(**config), token))  # type: ignore[arg-type]


def test_on_loopback_the_address_and_the_place_of_the_token_are_enough() -> None:
    row = listening(ServiceConfig(), "http://127.0.0.1:9100")
    assert row == "Yomitori listens at http://127.0.0.1:9100 (what it takes: http://127.0.0.1:9100/docs)"
    assert notes() == ["the token is in /etc/token; what changes models needs it"]


def test_all_addresses_are_told_by_one_that_can_be_opened() -> None:
    row = listening(ServiceConfig(host="0.0.0.0"), "http://0.0.0.0:8000")
    assert "0.0.0.0" not in row
    assert "http://127.0.0.1:8000/docs" in row
    assert "every other address" in row
    assert "http://[::1]:8000/docs" in listening(ServiceConfig(host="[::]"), "http://[::]:8000")


def test_where_others_can_connect_it_says_what_lets_them_ask() -> None:
    told = notes(host="0.0.0.0")
    assert told[0] == "the token is in /etc/token; every request needs it"
    assert "YOMITORI_SERVICE_ALLOWED_HOSTS" in told[1]
    assert "--service-allowed-hosts" in told[1]
    # A name is none that it goes by, an address is.
    assert len(notes(host="box.lan")) == 2
    assert len(notes(host="192.168.1.5")) == 1
    assert len(notes(host="0.0.0.0", allowed_hosts=frozenset({"box.lan"}))) == 1
    assert notes(require_token=True) == ["the token is in /etc/token; every request needs it"]


def test_a_token_that_others_may_read_is_told() -> None:
    told = notes(Token(TOKEN.value, TOKEN.source, exposed=True))
    assert told[1] == "others on this computer may read the token (chmod 600 /etc/token)"


def test_variables_that_set_nothing_are_told_with_the_nearest() -> None:
    told = misspelt(
        {
            "YOMITORI_SERVICE_PROT": "9100",
            "YOMITORI_SERVICE_QQ": "a-secret",
            "YOMITORI_SERVICE_TOKEN_FILE": "/t",
            "YOMITORI_SERVICE_PORT": "9100",
            "YOMITORI_TOKEN_FILE": "of compose",
            "YOMITORI_HOME": "/h",
        }
    )
    assert list(told) == [
        "there is no variable YOMITORI_SERVICE_PROT, is YOMITORI_SERVICE_PORT meant?",
        "there is no variable YOMITORI_SERVICE_QQ, docs/service.md lists those there are",
    ]
