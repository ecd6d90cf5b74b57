"""Checks of what lies beyond AWS: the management key at OpenRouter, the app in Slack. They change nothing, and no value
of a secret is shown.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import yaml
from pydantic import SecretStr

from cli.checkup import Check, Finding, Patient, verdict
from governor.policy import Policy
from governor.secrets import SecretMalformed, secret_field
from management_api import AuthenticationFailed, OpenRouter
from redaction import redact

MANIFEST = Path(__file__).resolve().parents[1] / "slack" / "manifest.yaml"


def management_key(patient: Patient) -> list[Finding]:
    name = patient.stack.parameters["ManagementKeySecretName"]
    try:
        key = _secret(patient, name, "api_key")
    except SecretMalformed as error:
        return [Finding("management key", "problem", str(error), 'Store {"api_key": "..."} in it.')]
    outside, account = patient.session.outside, patient.policy.account
    client = OpenRouter(key, base_url=account.base_url, transport=outside.transport, retry=outside.retry)
    with client:
        return _management_key(patient, name, client)


def _management_key(patient: Patient, name: str, client: OpenRouter) -> list[Finding]:
    check, new = "management key", "Create a management key at OpenRouter (Settings, Management keys) and store it."
    try:
        current = client.current_key()
    except AuthenticationFailed as error:
        return [Finding(check, "problem", f"OpenRouter does not accept the key in {name}: {error}", new)]
    if not current.is_management_key:
        return [Finding(check, "problem", f"The key in {name} is an inference key: it can read no account", new)]
    account, problems = patient.policy.account, []
    if current.expires_at and current.expires_at - patient.now < account.management_key.before_expiry:
        problems.append((f"The key in {name} expires at {current.expires_at:%Y-%m-%d %H:%M} UTC", new))
    told = patient.clients["secretsmanager"].describe_secret(SecretId=name)
    since = told.get("LastChangedDate") or told.get("CreatedDate")
    age = patient.now - since if since else None
    if age and age > account.management_key.max_age:
        problems.append((f"The value of {name} is {age.days} days old (account.management_key.max_age)", new))
    seen = client.workspaces.list()
    names = {name for one in seen for name in (one.id, one.slug, one.name)}
    fix = "Fix the name in the policy, or use a management key of the whole organization: this one may be limited."
    problems += [
        (f"The key in {name} does not see the workspace {one} that the policy names", fix)
        for one in sorted(_workspaces(patient.policy) - names)
    ]
    fine = f"The key reads {len(seen)} workspaces" + (f", and is {age.days} days old" if age else "")
    if len(seen) == 1:
        fine += ". OpenRouter does not say whether there are others that it may not see"
    return verdict(check, problems, fine)


def _workspaces(policy: Policy) -> set[str]:
    named = {one.workspace for one in policy.workloads} | {one.workspace for one in policy.byok}
    return named | {name for one in policy.presets for name in (one.from_workspace, one.to_workspace)}


def slack_app(patient: Patient) -> list[Finding]:
    if not patient.stack.has_slack:
        return [Finding("Slack app", "ok", "The stack was deployed without Slack: people are told by e-mail")]
    name = patient.stack.parameters["SlackSecretName"]
    try:
        token = _secret(patient, name, "bot_token")
    except SecretMalformed as error:
        return [Finding("Slack app", "problem", str(error), 'Store {"bot_token": "xoxb-..."} in it.')]
    told, headers = _ask(patient, token, "auth.test")
    again = "Install the app again (OAuth & Permissions), and store the bot token that Slack shows."
    if not told.get("ok"):
        return [Finding("Slack app", "problem", f"Slack refuses the token in {name}: {told.get('error')}", again)]
    wanted = yaml.safe_load(MANIFEST.read_text())["oauth_config"]["scopes"]["bot"]
    if "x-oauth-scopes" not in headers:
        return [Finding("Slack app", "unknown", "Slack did not say which scopes the token has", "Run it again.")]
    held = {one.strip() for one in headers["x-oauth-scopes"].split(",")}
    problems = [
        (f"The app lacks the scope {scope}", f"Add it to the app (slack/manifest.yaml). {again}")
        for scope in wanted
        # One of the two serves, by the kind of channel; both are in the manifest.
        if scope not in held and not (scope == "groups:history" and "channels:history" in held)
    ]
    return verdict("Slack app", problems, f"The token is that of {told.get('team', 'the workspace')}, with every scope")


def slack_channels(patient: Patient) -> list[Finding]:
    policy = patient.policy
    wanted = [one.channel for one in (policy.alerts, policy.approvals) if one]
    if not patient.stack.has_slack or not wanted:
        return [Finding("Slack channels", "ok", "The policy or the stack uses no channel")]
    token, problems = _secret(patient, patient.stack.parameters["SlackSecretName"], "bot_token"), []
    for channel in dict.fromkeys(wanted):
        told, _ = _ask(patient, token, "conversations.history", channel=channel, limit="1")
        if not told.get("ok"):
            fix = "Invite the app to the channel (/invite @Governor), or fix the channel's id in the policy."
            problems.append((f"The app cannot read the channel {channel}: {told.get('error')}", fix))
    return verdict("Slack channels", problems, f"The app is in {', '.join(dict.fromkeys(wanted))}")


def request_url(patient: Patient) -> list[Finding]:
    check, name = "request URL", patient.stack.parameters.get("SlackSigningSecretName", "")
    if not patient.stack.has_slack:
        return [Finding(check, "ok", "The stack was deployed without Slack: it has no request URL")]
    from slack_sdk.signature import SignatureVerifier

    try:
        secret = _secret(patient, name, "signing_secret")
    except SecretMalformed as error:
        return [Finding(check, "problem", str(error), 'Store {"signing_secret": "..."} in it (Basic Information).')]
    problems = []
    if redact(secret.get_secret_value()) != secret.get_secret_value():
        what = f"What {name} holds is a token or a key, and not a signing secret"
        problems.append((what, "Copy the signing secret from the app's Basic Information."))
    url, body, now = (
        patient.stack.outputs["SlackRequestUrl"],
        urlencode({"ssl_check": "1"}),
        str(int(patient.now.timestamp())),
    )
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Slack-Request-Timestamp": now}
    signature = SignatureVerifier(secret.get_secret_value()).generate_signature(timestamp=now, body=body)
    for said, signed, expected in (("signed", str(signature), 200), ("forged", "v0=" + "0" * 64, 401)):
        request = httpx.Request("POST", url, headers={**form, "X-Slack-Signature": signed}, content=body)
        status = patient.session.outside.web(request).status_code
        if status != expected:
            fix = 'docs/operations.md, "A function fails"; the log of slack_gateway says why. Check the clock, too.'
            problems.append((f"The request URL answers {status} to a {said} request, not {expected}", fix))
    fine = f"It takes what is signed and refuses what is not. See that the app has {url} in both places"
    return verdict(check, problems, fine)


def _secret(patient: Patient, name: str, field: str) -> SecretStr:
    text = patient.clients["secretsmanager"].get_secret_value(SecretId=name).get("SecretString", "")
    return secret_field(name, text, field)


def _ask(patient: Patient, token: SecretStr, method: str, **arguments: str) -> tuple[dict[str, Any], httpx.Headers]:
    """One call of Slack's Web API. Raises httpx's errors, and `ValueError` for what is not JSON."""
    url = f"{patient.stack.parameters.get('SlackApiUrl', 'https://slack.com/api/')}{method}"
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
    answer = patient.session.outside.web(httpx.Request("POST", url, headers=headers, data=arguments))
    answer.raise_for_status()
    return answer.json(), answer.headers


CHECKS: dict[str, Check] = {
    "management key": management_key,
    "Slack app": slack_app,
    "Slack channels": slack_channels,
    "request URL": request_url,
}
