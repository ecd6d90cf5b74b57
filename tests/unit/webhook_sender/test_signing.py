"""What is signed is what the specification says, by its own test vector, its own library, and a receiver of ours."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from standardwebhooks import Webhook

from sandbox.on_call.signed import Signed
from webhook_sender.decide import SecretUnusable, headers, usable, verdict

NOW = datetime(2026, 11, 27, 3, 0, 0, 900_000, tzinfo=UTC)


def secret(seed: bytes, length: int = 32) -> SecretStr:
    return SecretStr("whsec_" + base64.b64encode((seed * 80)[:length]).decode())


def test_the_specifications_own_vector() -> None:
    """Of the tests that the specification's libraries share ("sign function works")."""
    signed = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        '{"test": 2432232314}',
        [SecretStr("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
        datetime.fromtimestamp(1614265330, UTC),
    )
    assert signed == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(body=st.text(), id=st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True))
def test_whatever_is_sent_is_believed_and_nothing_else_is(body: str, id: str) -> None:
    signed = headers(id, body, [secret(b"a")], NOW)
    receiver = Signed([secret(b"a").get_secret_value()], lambda: NOW)
    assert list(receiver.wrong(signed, body)) == []
    assert list(receiver.wrong(signed, f"{body} ")) == ["no signature fits"]
    assert list(receiver.wrong({**signed, "webhook-id": f"{id}x"}, body)) == ["no signature fits"]
    later = {**signed, "webhook-timestamp": f"{int(NOW.timestamp()) + 1}"}
    assert list(receiver.wrong(later, body)) == ["no signature fits"]


def test_the_vendors_library_believes_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)  # its verification asks the machine's clock
    signed = headers("e1", '{"a": "ü"}', [secret(b"a"), secret(b"b")], now)
    for known in (b"a", b"b"):
        assert Webhook(secret(known).get_secret_value()).verify('{"a": "ü"}', signed) == {"a": "ü"}


def test_in_a_rotation_who_knows_either_secret_believes_it_and_nobody_else_does() -> None:
    signed = headers("e1", "{}", [secret(b"new"), secret(b"old")], NOW)
    assert signed["webhook-signature"].count("v1,") == 2
    known = {"new": [], "old": [], "other": ["no signature fits"]}
    for seed, wrong in known.items():
        receiver = Signed([secret(seed.encode()).get_secret_value()], lambda: NOW)
        assert list(receiver.wrong(signed, "{}")) == wrong


@pytest.mark.parametrize(("minutes", "believed"), [(4, True), (6, False), (-6, False)])
def test_the_time_is_the_attempts_so_that_a_replay_is_too_old(minutes: int, believed: bool) -> None:
    signed = headers("e1", "{}", [secret(b"a")], NOW)
    receiver = Signed([secret(b"a").get_secret_value()], lambda: NOW + timedelta(minutes=minutes))
    assert (list(receiver.wrong(signed, "{}")) == []) == believed


@pytest.mark.parametrize("length", [24, 32, 64])
def test_a_secret_of_the_specification_is_usable(length: int) -> None:
    assert usable(secret(b"a", length), "secret") == secret(b"a", length)


@pytest.mark.parametrize(
    "text",
    [
        "whsec_", "whsec_fake fake fake fake fake fake fake", "whsec_ünicode",
        secret(b"a", 23).get_secret_value(), secret(b"a", 65).get_secret_value(),
        secret(b"a").get_secret_value().removeprefix("whsec_"), f"whpk_{'A' * 44}",
        f"{secret(b'a').get_secret_value()}\n", secret(b"a").get_secret_value().rstrip("="),
    ],
)  # fmt: skip
def test_another_one_is_refused_by_the_name_of_its_field(text: str) -> None:
    with pytest.raises(SecretUnusable, match="'previous'") as refused:
        usable(SecretStr(text), "previous")
    assert text.removeprefix("whsec_") == "" or text not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_taken(status: int) -> None:
    assert verdict(status).taken


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (301, "deploy with that address"), (304, "deploy with that address"), (308, "deploy with that address"),
        (400, "answered 400"), (401, "`secret`"), (403, "`secret`"), (404, "answered 404"), (410, "wants no more"),
        (413, "size"), (429, "too often"), (500, "answered 500"), (503, "answered 503"), (199, "answered 199"),
    ],
)  # fmt: skip
def test_all_else_is_not_and_says_what_to_do(status: int, says: str) -> None:
    found = verdict(status)
    assert not found.taken
    assert says in found.reason
