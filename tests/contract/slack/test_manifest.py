"""The manifest makes the app that the code needs: every scope for a call that is made, every call with its scope."""

import re
from pathlib import Path

import yaml

from approval_desk.parsing import USAGE

ROOT = Path(__file__).resolve().parents[3]
MANIFEST = yaml.safe_load((ROOT / "slack" / "manifest.yaml").read_text())
SCOPES = {
    "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"},
    "chat_postEphemeral": {"chat:write"},
    # A private channel's history is another scope than a public one's; the metadata in it another still.
    "conversations_history": {"channels:history", "groups:history", "metadata.message:read"},
    "conversations_replies": {"channels:history", "groups:history", "metadata.message:read"},
    "files_upload_v2": {"files:write"},
    "views_open": set(),
    "views_publish": set(),
    "users_info": {"users:read"},
    "auth_test": set(),
}
"""Slack's method pages, https://docs.slack.dev/reference/methods."""


def _called() -> set[str]:
    code = [*(ROOT / "layers" / "governor" / "src").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    return {method for path in code for method in re.findall(r"client\.(\w+_\w+)\(", path.read_text())} & set(SCOPES)


def test_every_scope_is_for_something_and_nothing_lacks_one() -> None:
    assert _called() == set(SCOPES)
    needed = {scope for method in _called() for scope in SCOPES[method]} | {"commands"}
    assert set(MANIFEST["oauth_config"]["scopes"]["bot"]) == needed
    assert list(MANIFEST["oauth_config"]["scopes"]) == ["bot"], "nobody's own rights are asked for"


def test_the_readme_says_what_each_scope_is_for() -> None:
    step = (ROOT / "README.md").read_text().partition("2. **Slack**")[2].partition("3. **Secrets**")[0]
    assert set(re.findall(r"`([\w.:]+)`", step)) >= set(MANIFEST["oauth_config"]["scopes"]["bot"])


def test_the_command_and_the_buttons_lead_to_the_one_url_that_the_stack_puts_out() -> None:
    (command,) = MANIFEST["features"]["slash_commands"]
    assert command["command"] == "/governor"
    assert command["url"] == MANIFEST["settings"]["interactivity"]["request_url"]
    assert "SlackRequestUrl:" in (ROOT / "template.yaml").read_text()
    events = MANIFEST["settings"]["event_subscriptions"]
    assert events == {"request_url": command["url"], "bot_events": ["app_home_opened"]}


def test_the_home_is_switched_on_and_people_can_be_answered_beside_it() -> None:
    home = MANIFEST["features"]["app_home"]
    assert home == {
        "home_tab_enabled": True, "messages_tab_enabled": True, "messages_tab_read_only_enabled": True,
    }  # fmt: skip


def test_the_usage_hint_names_every_command() -> None:
    hint = MANIFEST["features"]["slash_commands"][0]["usage_hint"]
    assert set(USAGE) <= set(re.findall(r"[\w-]+", hint))


def test_no_text_is_longer_than_slack_takes() -> None:
    """https://docs.slack.dev/reference/app-manifest"""
    assert len(MANIFEST["display_information"]["name"]) <= 35
    assert len(MANIFEST["display_information"]["description"]) <= 140
    (command,) = MANIFEST["features"]["slash_commands"]
    assert len(command["description"]) <= 2000
    assert len(command["usage_hint"]) <= 1000
