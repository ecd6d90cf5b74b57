"""docs/adopt.md from step 10 on, line by line, on the built stack: secrets, deployed to look only, armed.

The first nine steps: tests/contract/cli/test_adopt.py. Here each line is run by what stands for it, and a line that
nothing stands for fails the test:

- `aws secretsmanager create-secret`: the secret, as the line names it, is what the sandbox's Secrets Manager holds.
- `make build`: `make -n build` must know the target; the stack of `make stack`, the same template, is deployed.
- `sam deploy`: the sandbox's engine deploys with the line's own parameters, which the template must have, as
  `samconfig.toml` must have the environment. An engine updates nothing: the second deployment is a second world.
- `governor`: the command line itself, with the engine's AWS. `--stack governor` is the sandbox's stack.
- What people do by hand (the Slack app's URL, the mail's link): the sandbox does it when it deploys.
- The week: twenty minutes of it, in which an agent loops. A whole week: tests/long/test_adopted_week.py.
"""

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from cli.main import build
from cli.session import KEY_VARIABLE, Outside
from sandbox.openrouter import Simulator
from sandbox.scenario.organization import INSTALLED, SEARCH, founding
from sandbox.scenario.world import MANAGEMENT_KEY, MINUTE, SIGNING_SECRET, SLACK_TOKEN, World, open_world
from tests.contract.template.reading import TEMPLATE
from tests.e2e.test_doctor import Clinic, CloudFormation
from tests.long.test_adopted_week import _account, _found
from tests.unit.cli.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "adopt.md").read_text()
STEPS = re.split(r"^## (?=\d+\.)", PAGE, flags=re.MULTILINE)[1:]
VALUES = {"api_key": MANAGEMENT_KEY, "bot_token": SLACK_TOKEN, "signing_secret": SIGNING_SECRET}
POLICY = Path("layers/policy/policy.yaml")
WAITS = ("governor plan",)
"""Lines that may end with 1: something waits for a person, and the page says so."""


class Operator:
    """Whoever follows the page. `world`: what is deployed at present."""

    def __init__(self, folder: Path, worlds: ExitStack) -> None:
        self.folder, self._worlds = folder, worlds
        self.secrets: dict[str, str] = {}
        self.deployed: list[dict[str, str]] = []
        self.world: World
        self._closing = ExitStack()
        self.said: dict[str, str] = {}

    def follow(self, step: int) -> int:
        """Runs every line of the step; how many there were."""
        text = STEPS[step - 1]
        assert text.startswith(f"{step}. ")
        lines = [line for block in _blocks(text, "sh") for line in block.splitlines()]
        for line in lines:
            match shlex.split(line):
                case ["aws", "secretsmanager", "create-secret", "--name", name, "--secret-string", file]:
                    self.secrets[name] = self._file(text, file.removeprefix("file://"))
                case ["make", "build"]:
                    subprocess.run(["make", "-n", "build"], cwd=ROOT, check=True, capture_output=True)
                case ["sam", "deploy", "--config-env", environment, "--parameter-overrides", *given]:
                    assert environment in tomllib.loads((ROOT / "samconfig.toml").read_text())
                    self._deploy(dict(one.split("=", 1) for one in given))
                case ["governor", *words]:
                    self._govern(line, words)
                case _:
                    pytest.fail(f"nothing stands for this line of the page: {line}")
        return len(lines)

    def arm(self) -> None:
        """Adds the page's lines to the policy, below the workload's name."""
        (added,) = _blocks(STEPS[12], "yaml")
        text = POLICY.read_text()
        head = f"  - name: {SEARCH}\n"
        assert head in text
        POLICY.write_text(text.replace(head, head + added))

    def loop(self, minutes: int = 20) -> None:
        """An agent loops for so long."""
        self.world.loop(SEARCH, 500.0)
        self.world.run(self.world.now + minutes * MINUTE, maintenance=timedelta(hours=1))

    def _file(self, text: str, name: str) -> str:
        """What the page says is in the file."""
        found = re.search(rf"`{re.escape(name)}`\s+with\s+`(\{{.*?\}})`", text)
        assert found, f"the page does not say what is in {name}"
        return json.dumps({field: VALUES[field] for field in json.loads(found[1])})

    def _deploy(self, parameters: dict[str, str]) -> None:
        assert set(parameters) <= set(TEMPLATE["Parameters"])
        self._closing.close()
        self.deployed.append(parameters)
        self.folder = self.folder.parent / f"deployed-{len(self.deployed)}"
        account = replace(_account(), policy=self._policy)
        self.world = self._closing.enter_context(open_world(self.folder, parameters, account, self.secrets))
        self._worlds.push(self._closing)
        self.world.run(self.world.now + 2 * MINUTE)

    def _policy(self, url: str) -> str:
        """The policy in the folder, for the simulator's address."""
        text = re.sub(r"^account: .*\n", "", POLICY.read_text(), flags=re.MULTILINE)
        POLICY.write_text(text.replace("version: 1\n", f'version: 1\naccount: {{base_url: "{url}"}}\n', 1))
        return POLICY.read_text()

    def _govern(self, line: str, words: list[str]) -> None:
        cloudformation = CloudFormation(self.world, str(self.world.slack.api.people.base_url) + "api/")
        transport = httpx.HTTPTransport()
        outside = Outside(
            environment={KEY_VARIABLE: MANAGEMENT_KEY},
            transport=transport,
            aws=lambda service, _: cloudformation if service == "cloudformation" else self.world.engine.client(service),
            now=lambda: self.world.now,
            web=Clinic(self.world, self.folder)._web,
        )
        with transport:
            ran = CliRunner().invoke(build(), words, obj=outside, env={"COLUMNS": "80"})
        self.said[line] = ran.stdout
        assert ran.exit_code == 0 or (ran.exit_code == 1 and line.startswith(WAITS)), f"{line}: {ran.output}"


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def operator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    """With the policy that the first eight steps leave: imported, owners filled in, nothing armed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("cli.checkup.SECONDS", 120)  # a busy machine is not a finding
    POLICY.parent.mkdir(parents=True)
    clock = [(INSTALLED - founding().history).timestamp()]
    simulator = Simulator("sk-or-v1-fake-management", clock=lambda: clock[0], credits=1_000_000.0)
    _found(simulator)
    clock[0] = INSTALLED.timestamp()
    assert Terminal(simulator).run("import", POLICY, "--propose-caps", "--owner", "U0LEAD").code == 0
    text = POLICY.read_text().replace("\n# alerts:", "\nalerts:").replace("\n# approvals:", "\napprovals:")
    POLICY.write_text(text)
    with ExitStack() as worlds:
        yield Operator(tmp_path / "deployed-0", worlds)


def test_the_page_goes_from_a_checked_policy_to_an_armed_one(operator: Operator) -> None:
    lines = [operator.follow(step) for step in (10, 11)]
    assert set(operator.secrets) == {
        "governor/openrouter-management-key", "governor/slack", "governor/slack-signing",
    }  # fmt: skip
    operator.loop()
    lines.append(operator.follow(12))
    told = {one["detail-type"] for one in operator.world.events(subject=SEARCH)}
    assert "Runaway Confirmed" in told, "it tells,"
    assert not operator.world.key(SEARCH).disabled, "and disables nothing"
    operator.arm()
    lines.append(operator.follow(13))
    assert lines == [3, 3, 2, 6]
    assert operator.deployed[1] == {**operator.deployed[0], "ProtectTables": "true"}
    operator.loop(4)
    assert operator.world.key(SEARCH).disabled, "it is armed"
    assert operator.world.slack_lines()
