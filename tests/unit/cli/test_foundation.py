"""What every command has: a host, a key, exit codes, and errors that say what to do."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from botocore.exceptions import ClientError, NoCredentialsError

from cli.account import read_account
from cli.command import command
from cli.main import build
from cli.output import ExitCode, Failure, row, table, write_atomically
from cli.session import KEY_VARIABLE, Session, base_url
from management_api import WorkspacePatch
from sandbox.openrouter import Simulator
from tests.unit.cli.terminal import MANAGEMENT, Terminal, Unreachable


def _look(session: Session, name: Annotated[str, typer.Argument()] = "nobody") -> ExitCode | None:
    """Reads the account."""
    account = read_account(session.openrouter(), session.out, session.now)
    found = [{"name": one.name, "workspace": account.workspace_name(one.workspace_id)} for one in account.keys]
    document = {"asked": name, "keys": found, "gaps": [str(one) for one in account.gaps]}

    def render(console: Any) -> None:
        made = table("name", "workspace")
        for one in found:
            row(made, one["name"], one["workspace"])
        console.print(made)

    session.out.result(document, render)
    return ExitCode.FINDINGS if account.gaps else None


def _rename(session: Session) -> None:
    """Writes to the account."""
    client = session.openrouter()
    client.workspaces.update(client.workspaces.list()[0].id, WorkspacePatch(name="other"))


def _hang(_: Session) -> None:
    """Is interrupted."""
    raise KeyboardInterrupt


@pytest.fixture
def terminal(simulator: Simulator) -> Terminal:
    app = build()
    command(app, "look", openrouter=True)(_look)
    command(app, "rename", openrouter=True)(_rename)
    command(app, "hang")(_hang)
    simulator.organization.create_workspace("Platform", "platform")
    simulator.create_key("prod-search", workspace="platform")
    return Terminal(simulator, app)


def test_a_command_reads_the_account_and_answers_in_json(terminal: Terminal) -> None:
    ran = terminal.run("look", "--json")
    assert ran.code == 0
    assert ran.json == {
        "asked": "nobody", "keys": [{"name": "prod-search", "workspace": "platform"}], "gaps": [],
    }  # fmt: skip
    assert "reading the keys of 2 workspaces" in ran.stderr


def test_a_command_answers_people_in_a_table_of_eighty_columns_without_colour(terminal: Terminal) -> None:
    terminal.simulator.create_key("a-very-long-name-" * 12)
    ran = terminal.run("look", "somebody")
    assert "prod-search" in ran.stdout
    assert "\x1b" not in ran.stdout + ran.stderr
    assert max(len(line) for line in ran.stdout.splitlines()) <= 80
    assert ran.stdout.replace(" ", "").replace("\n", "").count("a-very-long-name-") >= 9, "folded, not cut off"


def test_a_name_cannot_move_the_cursor(terminal: Terminal) -> None:
    terminal.simulator.create_key("\x1b[2Jgone [red]")
    ran = terminal.run("look")
    assert "\x1b" not in ran.stdout
    assert "\\x1b[2Jgone [red]" in ran.stdout


@pytest.mark.parametrize(
    ("host", "asked"),
    [("eu", "eu.openrouter.ai"), ("us.openrouter.ai", "us.openrouter.ai"), ("https://eu.openrouter.ai/api/v1", None)],
)
def test_the_host_is_an_option(terminal: Terminal, host: str, asked: str | None) -> None:
    assert terminal.run("look", "--host", host).code == 0
    assert terminal.transport.hosts == {asked or "eu.openrouter.ai"}


@pytest.mark.parametrize("host", ["http://openrouter.ai", "localhost", "open router", "ftp://x.y"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(Failure, match="not a host"):
        base_url(host)


def _failing(terminal: Terminal, *arguments: str, code: int, says: str, fix: str, **outside: Any) -> None:
    ran = terminal.run(*arguments, **outside)
    assert (ran.code, ran.stdout) == (code, "")
    text = " ".join(ran.stderr.split())
    assert says in text
    assert fix in text
    assert MANAGEMENT not in ran.stderr


def test_without_a_key_it_says_where_to_put_one(terminal: Terminal) -> None:
    terminal.environment = {}
    _failing(terminal, "look", code=2, says="There is no management key", fix=KEY_VARIABLE)


def test_an_inference_key_is_named_as_one(terminal: Terminal) -> None:
    _, plaintext = terminal.simulator.create_key("mine")
    terminal.environment = {KEY_VARIABLE: plaintext}
    _failing(terminal, "look", code=3, says="is an inference key", fix="Create a management key")


def test_an_unknown_key_is_refused(terminal: Terminal) -> None:
    terminal.environment = {KEY_VARIABLE: "sk-or-v1-fake-unknown"}
    _failing(terminal, "look", code=3, says="does not accept the key", fix="Create a management key")


def test_a_read_only_key_reads_and_says_why_it_cannot_write(terminal: Terminal) -> None:
    terminal.simulator.restrict_management(read_only=True)
    assert terminal.run("look").code == 0
    _failing(terminal, "rename", code=3, says="most likely read-only", fix="that may write")


def test_a_key_of_one_workspace_is_told_of(terminal: Terminal) -> None:
    terminal.simulator.restrict_management(workspace="platform")
    ran = terminal.run("look", "--json")
    assert "The key sees one workspace, platform." in ran.stderr
    assert [one["name"] for one in ran.json["keys"]] == ["prod-search"]


def test_an_address_that_the_organization_does_not_admit_is_told(terminal: Terminal) -> None:
    terminal.simulator.allow_addresses("10.0.0.0/8")
    _failing(terminal, "look", code=3, says="forbids this key to read", fix="IP allowlist does not name this machine")


def test_another_address_than_the_apis_is_told(terminal: Terminal) -> None:
    host = ("--host", "https://openrouter.ai/api")
    _failing(terminal, "look", *host, code=3, says="is not OpenRouter's API", fix="must end in /api/v1")


def test_a_server_that_fails_is_told(terminal: Terminal) -> None:
    terminal.simulator.fault("/key", "503", times=9)
    _failing(terminal, "look", code=3, says="did not answer as it should", fix="again in a while")


def test_without_a_network_it_says_so(terminal: Terminal) -> None:
    _failing(terminal, "look", code=3, says="could not be reached", fix="Check the network", transport=Unreachable())


def test_what_could_not_be_read_is_a_gap_and_not_an_empty_list(terminal: Terminal) -> None:
    terminal.simulator.fault("/guardrails", "fail_before", status=400, times=9)
    terminal.simulator.fault("/keys", "fail_before", status=400, times=9)
    ran = terminal.run("look", "--json")
    assert ran.code == 1
    assert any("keys of workspace" in one for one in ran.json["gaps"])
    assert any("guardrails of workspace platform" in one for one in ran.json["gaps"])


class _Vault:
    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self, *, SecretId: str) -> dict[str, str]:
        if SecretId != "governor/management":
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "no"}}, "GetSecretValue")
        return {"SecretString": self._text}


def test_the_key_may_be_in_secrets_manager(terminal: Terminal) -> None:
    terminal.environment = {}
    asked: list[tuple[str, str | None]] = []

    def aws(service: str, region: str | None) -> _Vault:
        asked.append((service, region))
        return _Vault(json.dumps({"api_key": MANAGEMENT}))

    ran = terminal.run("look", "--secret-id", "governor/management", "--region", "eu-west-1", aws=aws)
    assert ran.code == 0
    assert asked == [("secretsmanager", "eu-west-1")]
    _failing(terminal, "look", "--secret-id", "other", code=3, says="AWS refused", fix="Check the name", aws=aws)
    _failing(
        terminal, "look", "--secret-id", "governor/management", code=2, says="expected a JSON object",
        fix="management key", aws=lambda *_: _Vault(MANAGEMENT),
    )  # fmt: skip


def test_without_aws_credentials_it_says_so(terminal: Terminal) -> None:
    def aws(*_: object) -> Any:
        raise NoCredentialsError

    _failing(terminal, "look", "--secret-id", "x", code=3, says="AWS refused", fix="Sign in to AWS", aws=aws)


def test_an_interrupt_ends_with_130(terminal: Terminal) -> None:
    _failing(terminal, "hang", code=130, says="Interrupted.", fix="")


def test_an_unknown_option_is_bad_usage(terminal: Terminal) -> None:
    assert terminal.run("look", "--nope").code == 2


def test_every_command_says_in_its_help_how_it_is_used_and_answers_json() -> None:
    app = build()
    groups = [app, *(one.typer_instance for one in app.registered_groups if one.typer_instance)]
    for group in groups:
        path = () if group is app else (group.info.name,)
        for one in group.registered_commands:
            text = (one.callback.__doc__ or "") if one.callback else ""
            name = " ".join(("governor", *(str(part) for part in (*path, one.name))))
            assert name in text, f"{name}: its help has no example"
            assert "json" in one.callback.__annotations__, name


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "policy.yaml"
    target.write_text("old")
    target.chmod(0o640)
    write_atomically(target, "new")
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    link = tmp_path / "link.yaml"
    link.symlink_to(target)
    write_atomically(link, "newer")
    assert link.is_symlink()
    assert target.read_text() == "newer"
    with pytest.raises(Failure, match="could not be written"):
        write_atomically(tmp_path / "nowhere" / "policy.yaml", "x")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["link.yaml", "policy.yaml"]


def test_an_interrupt_while_a_file_is_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "policy.yaml"
    target.write_text("old")

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, "new")
    assert target.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["policy.yaml"]
