"""Bad input: one clear error each, nothing lost, in the dead-letter queue, the log, or in front of people."""

import json
from datetime import timedelta

from sandbox.scenario.organization import SANDBOX, SEARCH
from sandbox.scenario.world import CHANNEL, MANAGEMENT_KEY, SLACK_TOKEN, World

MINUTES = timedelta(minutes=1)


def test_an_event_of_the_wrong_shape_ends_in_the_dead_letter_queue_whole_and_named(world: World) -> None:
    before = world.keys_as_set()
    world.engine.put_event("Key Exposed", {"subjekt": SEARCH}, source="scanner")
    world.run(world.now + 6 * MINUTES)
    (letter,) = world.engine.messages("KillSwitchDeadLetters")
    assert letter.body["requestPayload"]["detail"] == {"subjekt": SEARCH}
    assert letter.body["responsePayload"]["errorType"] == "BadEvent"
    assert "subject" in letter.body["responsePayload"]["errorMessage"]
    assert world.keys_as_set() == before


def _replace(world: World, secret: str, value: dict[str, str]) -> None:
    world.engine.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(value))


def test_a_management_key_that_is_an_inference_key_is_named_and_replacing_it_needs_no_deploy(world: World) -> None:
    world.run(world.now + 3 * MINUTES)
    _replace(world, "governor/openrouter-management-key", {"api_key": world.plaintexts[SANDBOX]})
    assert world.run_while(lambda: not world.events("Monitor Blind"), at_most=15 * MINUTES)
    log = world.engine.logs("SpendMeterFunction")
    assert "AuthenticationFailed" in log
    assert "management key" in log
    assert world.plaintexts[SANDBOX] not in log
    failed = [one for one in world.engine.invocations if one.function == "SpendMeterFunction" and one.kind == "error"]
    assert failed, "a sweep that could not read must fail loudly"

    _replace(world, "governor/openrouter-management-key", {"api_key": MANAGEMENT_KEY})
    assert world.run_while(lambda: not world.events("Monitor Recovered"), at_most=10 * MINUTES)


def test_a_slack_token_that_is_refused_goes_by_mail_with_the_fix_and_once(world: World) -> None:
    _replace(world, "governor/slack", {"bot_token": "xoxb-fake-revoked"})
    world.run(world.now + 2 * MINUTES)
    world.loop(SEARCH, 500)
    assert world.run_while(lambda: not world.events("Key Disabled"), at_most=20 * MINUTES)
    world.end_loop(SEARCH)
    world.run(world.now + 10 * MINUTES)
    mails = world.engine.published("AlertTopic")
    disabled = [text for subject, text in mails if "disabled" in f"{subject} {text}".lower() and SEARCH in text]
    assert disabled
    assert any("invalid_auth" in text for text in disabled)
    assert world.slack.messages(CHANNEL) == []
    assert len(mails) == len(world.events()), "every event told once"
    assert world.engine.dead_letters() == []

    _replace(world, "governor/slack", {"bot_token": SLACK_TOKEN})
    world.run(world.now + 6 * MINUTES)
    world.put_event(
        "Restore Requested", {"subject": SEARCH, "evidence": {"cause": "runaway", "requested_by": "U0LEAD"}}
    )
    world.run(world.now + 5 * MINUTES)
    assert any("restored" in line for line in world.slack_lines())
