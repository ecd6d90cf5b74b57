"""Which error a caller meets, and that no error of httpx gets past."""

import inspect
import pickle
import re

import httpx
import pytest

from management_api import (
    AuthenticationFailed,
    Conflict,
    DestinationPatch,
    KeyPatch,
    NotFound,
    OpenRouterError,
    OutcomeUnknown,
    RateLimited,
    ReadForbidden,
    Rejected,
    Unavailable,
    WriteForbidden,
    errors,
)
from tests.unit.management_api.far_side import ClientOf, error_json

NEVER_RAISED_BY_SENDING = {
    # raise_for_status is not called
    "HTTPStatusError",
    # addresses are checked when the client is made, and ids are quoted
    "InvalidURL",
    # misuse of a cookie jar or a stream by the caller of httpx, not of the network
    "CookieConflict", "StreamError", "StreamConsumed", "StreamClosed", "ResponseNotRead", "RequestNotRead",
    # base classes, caught with what is below them
    "HTTPError",
}  # fmt: skip

LOWER = [
    getattr(httpx, name)
    for name in httpx.__all__
    if inspect.isclass(getattr(httpx, name))
    and issubclass(getattr(httpx, name), Exception)
    and name not in NEVER_RAISED_BY_SENDING
]

KINDS = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, OpenRouterError)]


@pytest.mark.parametrize("lower", LOWER, ids=lambda kind: kind.__name__)
def test_no_error_of_httpx_is_left_unmapped(client_of: ClientOf, lower: type[httpx.RequestError]) -> None:
    def far_side(request: httpx.Request) -> httpx.Response:
        raise lower("boom", request=request)

    client = client_of(far_side)
    with pytest.raises(Unavailable):
        client.credits()
    with pytest.raises((Unavailable, OutcomeUnknown)) as failure:
        client.keys.update("ab", KeyPatch(disabled=True))
    assert isinstance(failure.value.__cause__, lower)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, Rejected), (400, Rejected), (401, AuthenticationFailed), (402, Rejected), (403, ReadForbidden),
        (404, NotFound), (409, Conflict), (410, Rejected), (413, Rejected), (422, Rejected), (429, RateLimited),
        (500, Unavailable), (503, Unavailable), (529, Unavailable),
    ],
)  # fmt: skip
def test_each_status_of_a_management_call_has_its_error(
    client_of: ClientOf, status: int, kind: type[OpenRouterError]
) -> None:
    with pytest.raises(kind) as failure:
        client_of(lambda request: error_json(status, "why", "some_type")).keys.get("ab")
    assert type(failure.value) is kind
    assert (failure.value.status, failure.value.error_type) == (status, "some_type")
    assert failure.value.request == "GET /keys/{hash}"
    assert "why" in str(failure.value)


@pytest.mark.parametrize("status", [402, 403])
def test_a_budget_or_guardrail_that_stops_inference_is_a_rejection(client_of: ClientOf, status: int) -> None:
    client = client_of(lambda request: error_json(status, "Workspace monthly budget of $500.00 exceeded."))
    with pytest.raises(Rejected) as failure:
        client.chat({"model": "a/b", "messages": []})
    assert failure.value.status == status


def test_a_refused_key_names_where_to_make_another(client_of: ClientOf) -> None:
    for answer in (error_json(401, "User not found."), error_json(403, "no", "authentication")):
        client = client_of(lambda request, answer=answer: answer)
        with pytest.raises(AuthenticationFailed, match=r"Create one at https://openrouter.ai/settings/management-keys"):
            client.workspaces.list()


def test_a_403_to_a_read_is_not_taken_for_a_bad_key_and_says_what_it_may_be(client_of: ClientOf) -> None:
    """Red before: an IP allowlist was told as a credential that is unknown, disabled, expired or deleted."""
    client = client_of(lambda request: error_json(403, "Forbidden", "permission_denied"))
    with pytest.raises(ReadForbidden) as failure:
        client.workspaces.list()
    for named in ("IP allowlist", "settings/security", "inference key", "limited to others"):
        assert named in str(failure.value)
    assert "deleted" not in str(failure.value)


def test_a_403_to_a_write_names_a_read_only_key_another_workspace_and_a_setting(client_of: ClientOf) -> None:
    with pytest.raises(WriteForbidden, match=r"read-only, or limited to another workspace.*locked"):
        client_of(lambda request: error_json(403, "Privacy settings are locked")).destinations.update(
            "d", DestinationPatch(privacy_mode=False)
        )


def test_an_error_inside_a_200_is_an_error(client_of: ClientOf) -> None:
    body = {"error": {"code": 502, "message": "provider died", "metadata": {"error_type": "provider_unavailable"}}}
    with pytest.raises(Unavailable) as failure:
        client_of(lambda request: httpx.Response(200, json=body)).chat({"model": "a/b", "messages": []})
    assert failure.value.error_type == "provider_unavailable"


def test_an_error_inside_a_200_to_a_write_still_leaves_its_outcome_unknown(client_of: ClientOf) -> None:
    body = {"error": {"code": 400, "message": "no"}}
    with pytest.raises(OutcomeUnknown):
        client_of(lambda request: httpx.Response(200, json=body)).keys.update("ab", KeyPatch(disabled=True))


@pytest.mark.parametrize("body", [b"", b"<html>gateway</html>", b"[]", b'{"error": "text"}', b"\xff\xfe", b"null"])
def test_an_error_without_the_documented_body_is_still_that_error(client_of: ClientOf, body: bytes) -> None:
    with pytest.raises(NotFound):
        client_of(lambda request: httpx.Response(404, content=body)).keys.get("ab")


def test_a_deletion_that_is_not_confirmed_is_of_unknown_outcome(client_of: ClientOf) -> None:
    with pytest.raises(OutcomeUnknown):
        client_of(lambda request: httpx.Response(200, json={"deleted": False})).keys.delete("ab")


def test_messages_are_short_and_on_one_line(client_of: ClientOf) -> None:
    with pytest.raises(Rejected) as failure:
        client_of(lambda request: error_json(400, "long\n\x1b[31m text " * 1000)).keys.get("ab")
    assert len(str(failure.value)) < 400
    assert str(failure.value).isprintable()


@pytest.mark.parametrize("kind", KINDS)
def test_errors_survive_pickling_with_all_their_fields(kind: type[OpenRouterError]) -> None:
    error = kind("why", request="GET /key", status=418, error_type="t", retry_after=1.5)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (kind, "GET /key: why", vars(error))


def test_the_docstring_draws_the_whole_tree() -> None:
    drawn = re.findall(r"─ ([A-Z]\w+)", errors.__doc__ or "")
    assert sorted(["OpenRouterError", *drawn]) == sorted(kind.__name__ for kind in KINDS)
