"""Each command without a network, with the wrong key, and with a lesser one."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, SSOTokenLoadError

from tests.unit.cli.surroundings import COMMANDS, POLICY, Command, Desk
from tests.unit.cli.terminal import MANAGEMENT, Unreachable

OF_OPENROUTER = [one for one in COMMANDS if one.needs_a_key]
READING = [one for one in OF_OPENROUTER if one.openrouter == "reads"]
WRITING = [one for one in OF_OPENROUTER if one.openrouter == "writes"]
OF_AWS = [one for one in COMMANDS if not one.openrouter]


def unreachable(service: str, _region: str | None) -> Any:
    raise EndpointConnectionError(endpoint_url=f"https://{service}.us-east-1.amazonaws.com/")


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_without_a_network_it_says_so_and_what_to_do(desk: Desk, command: Command) -> None:
    files, far = desk.files(), desk.far()
    ran = desk.run(command, transport=Unreachable(), aws=unreachable)
    assert (ran.code, ran.stdout) == (3, "")
    assert "could not be reached" in " ".join(ran.stderr.split())
    assert "fix: " in ran.stderr
    assert (desk.files(), desk.far()) == (files, far)


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=str)
def test_with_aws_and_without_openrouter_nothing_is_begun(desk: Desk, command: Command) -> None:
    files, far = desk.files(), desk.far()
    ran = desk.run(command, transport=Unreachable())
    assert (ran.code, ran.stdout) == (3, "")
    assert "Check the network and --host" in " ".join(ran.stderr.split())
    assert (desk.files(), desk.far()) == (files, far)


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=str)
def test_an_inference_key_is_told_from_a_management_key(desk: Desk, command: Command) -> None:
    _, inference = desk.simulator.create_key("mine")
    files, far = desk.files(), desk.far()
    ran = desk.run(command, key=inference)
    assert (ran.code, ran.stdout) == (3, "")
    assert "is an inference key" in " ".join(ran.stderr.split())
    assert inference not in ran.stderr
    assert (desk.files(), desk.far()) == (files, far)


@pytest.mark.parametrize("command", READING, ids=str)
def test_a_read_only_key_is_enough(desk: Desk, command: Command) -> None:
    desk.simulator.restrict_management(read_only=True)
    assert desk.run(command).code == command.code


@pytest.mark.parametrize("command", WRITING, ids=str)
def test_what_writes_says_of_a_read_only_key_that_it_may_not_and_begins_nothing(desk: Desk, command: Command) -> None:
    desk.simulator.restrict_management(read_only=True)
    far = desk.far()
    ran = desk.run(command)
    assert (ran.code, ran.stdout) == (3, "")
    said = " ".join(ran.stderr.split())
    assert "it is most likely read-only" in said
    assert "fix: Use a management key that may write" in said
    assert desk.far() == far
    assert not desk.slept


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=str)
def test_a_key_of_one_workspace_is_said_to_see_one(desk: Desk, command: Command) -> None:
    desk.simulator.restrict_management(read_only=command.openrouter == "reads", workspace="platform")
    ran = desk.run(command)
    assert ran.code in (0, 1)
    assert "The key sees one workspace, platform." in " ".join(ran.stderr.split())


@pytest.mark.parametrize("command", [one for one in OF_OPENROUTER if one.name.startswith("broadcast")], ids=str)
def test_a_workspace_that_the_key_does_not_see_is_named_and_nothing_is_begun(desk: Desk, command: Command) -> None:
    """The token's replacement least of all: what a destination there sends would be refused afterwards."""
    desk.simulator.organization.create_workspace("Other", "other")
    other = "  - {name: prod-other, workspace: other, owner: {slack: U0SEARCH}}\n"
    (desk.folder / "policy.yaml").write_text(POLICY + other)
    desk.simulator.restrict_management(workspace="platform")
    far = desk.far()
    ran = desk.run(command)
    assert (ran.code, ran.stdout) == (2, "")
    said = " ".join(ran.stderr.split())
    assert "other" in said
    assert "a key of the whole organization" in said or "one of the whole organization" in said
    assert desk.far() == far


@pytest.mark.parametrize("restrict", [{"read_only": True}, {"workspace": "platform"}, {}], ids=str)
def test_explain_reads_with_a_lesser_key_and_says_what_it_did_not_read(desk: Desk, restrict: dict[str, Any]) -> None:
    explain = next(one for one in COMMANDS if one.openrouter == "asks_if")
    _, inference = desk.simulator.create_key("mine")
    if restrict:
        desk.simulator.restrict_management(**restrict)
    ran = desk.run(explain, key=MANAGEMENT if restrict else inference)
    assert ran.code == (0 if restrict else 1), ran.stderr
    assert ("not read" in ran.stderr) == (not restrict)


@pytest.mark.parametrize("command", OF_AWS, ids=str)
def test_what_asks_the_stack_alone_needs_no_key_of_openrouter(desk: Desk, command: Command) -> None:
    assert desk.run(command, key="").code == command.code
    assert not desk.simulator.requests


@pytest.mark.parametrize("command", OF_OPENROUTER, ids=str)
def test_without_a_key_it_says_where_to_put_one(desk: Desk, command: Command) -> None:
    far = desk.far()
    ran = desk.run(command, key="")
    assert (ran.code, ran.stdout) == (2, "")
    assert "OPENROUTER_MANAGEMENT_KEY" in ran.stderr
    assert desk.far() == far


def _says(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (_says("AccessDenied"), "Ask for the permission"),
        (_says("AccessDeniedException"), "Ask for the permission"),
        (_says("ExpiredToken"), "Sign in to AWS"),
        (_says("UnrecognizedClientException"), "Sign in to AWS"),
        (SSOTokenLoadError(error_msg="it is not there"), "Sign in to AWS"),
        (EndpointConnectionError(endpoint_url="https://x"), "Check the network and --region"),
    ],
    ids=str,
)
def test_what_aws_refuses_has_the_fix_for_it(desk: Desk, error: Exception, fix: str) -> None:
    def refuses(*_: object) -> Any:
        raise error

    ran = desk.run(OF_AWS[0], aws=refuses)
    assert (ran.code, ran.stdout) == (3, "")
    assert f"fix: {fix}" in " ".join(ran.stderr.split())
