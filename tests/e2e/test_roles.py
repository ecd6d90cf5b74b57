"""Least privilege, proven: each function works under its own role (every other test here), and can do no more."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.scenario.world import World


def _refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_no_role_can_do_what_its_function_does_not_do(world: World) -> None:
    engine = world.engine
    table, bucket = engine.outputs["LedgerTable"], engine.outputs["ReadingBucket"]
    row = {"pk": {"S": "subject#a"}, "sk": {"S": "cause#runaway"}}
    denied: dict[str, Callable[[], Any]] = {
        "the meter writes no ledger row": lambda: engine.client_as("SpendMeterFunction", "dynamodb").put_item(
            TableName=table, Item=row
        ),
        "the meter reads no Slack token": lambda: engine.client_as(
            "SpendMeterFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/slack"),
        "the meter deletes no reading": lambda: engine.client_as("SpendMeterFunction", "s3").delete_object(
            Bucket=bucket, Key="readings/state.bin"
        ),
        "the kill switch reads no workload's key": lambda: engine.client_as(
            "KillSwitchFunction", "secretsmanager"
        ).get_secret_value(SecretId="openrouter/prod/search-agent"),
        "the kill switch sees no reading": lambda: engine.client_as("KillSwitchFunction", "s3").get_object(
            Bucket=bucket, Key="readings/state.bin"
        ),
        "the planner writes no secret": lambda: engine.client_as(
            "KeyPlanningFunction", "secretsmanager"
        ).put_secret_value(SecretId="openrouter/prod/search-agent", SecretString="{}"),
        "the planner reads no workload's key": lambda: engine.client_as(
            "KeyPlanningFunction", "secretsmanager"
        ).get_secret_value(SecretId="openrouter/prod/search-agent"),
        "rotation deletes no secret": lambda: engine.client_as("KeyRotationFunction", "secretsmanager").delete_secret(
            SecretId="openrouter/prod/search-agent"
        ),
        "rotation asks for no rotation": lambda: engine.client_as(
            "KeyRotationFunction", "secretsmanager"
        ).rotate_secret(SecretId="openrouter/prod/search-agent"),
        "rotation writes no secret but a workload's": lambda: engine.client_as(
            "KeyRotationFunction", "secretsmanager"
        ).put_secret_value(SecretId="governor/openrouter-management-key", SecretString="{}"),
        "retirement writes no secret's value": lambda: engine.client_as(
            "KeyRetirementFunction", "secretsmanager"
        ).put_secret_value(SecretId="openrouter/prod/search-agent", SecretString="{}"),
        "credential rotation writes no secret": lambda: engine.client_as(
            "CredentialRotationFunction", "secretsmanager"
        ).put_secret_value(SecretId="providers/anthropic", SecretString="fake"),
        "credential rotation reads no Slack token": lambda: engine.client_as(
            "CredentialRotationFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/slack"),
        "promotion reads no management key": lambda: engine.client_as(
            "PresetPromotionFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/openrouter-management-key"),
        "promotion reads no workload's key": lambda: engine.client_as(
            "PresetPromotionFunction", "secretsmanager"
        ).get_secret_value(SecretId="openrouter/prod/search-agent"),
        "promotion decides nothing": lambda: engine.client_as("PresetPromotionFunction", "dynamodb").put_item(
            TableName=engine.outputs["DecisionsTable"], Item=row
        ),
        "promotion forgets nothing": lambda: engine.client_as("PresetPromotionFunction", "dynamodb").delete_item(
            TableName=table, Key=row
        ),
        "promotion writes no secret": lambda: engine.client_as(
            "PresetPromotionFunction", "secretsmanager"
        ).put_secret_value(SecretId="openrouter/prod/search-agent", SecretString="{}"),
        "the notifier reads no management key": lambda: engine.client_as(
            "NotifierFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/openrouter-management-key"),
        "the notifier publishes no event": lambda: engine.client_as("NotifierFunction", "events").put_events(
            Entries=[{"EventBusName": engine.outputs["EventBusName"], "Source": "a", "DetailType": "b", "Detail": "{}"}]
        ),
        "the gateway reads no ledger": lambda: engine.client_as("SlackGatewayFunction", "dynamodb").get_item(
            TableName=table, Key=row
        ),
        "the gateway publishes no event": lambda: engine.client_as("SlackGatewayFunction", "events").put_events(
            Entries=[{"EventBusName": engine.outputs["EventBusName"], "Source": "a", "DetailType": "b", "Detail": "{}"}]
        ),
        "the gateway takes nothing from its queue": lambda: engine.client_as(
            "SlackGatewayFunction", "sqs"
        ).receive_message(QueueUrl=engine.physical("SlackRequestQueue")),
        "the gateway reads no management key": lambda: engine.client_as(
            "SlackGatewayFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/openrouter-management-key"),
        "the desk reads no management key": lambda: engine.client_as(
            "ApprovalDeskFunction", "secretsmanager"
        ).get_secret_value(SecretId="governor/openrouter-management-key"),
        "the desk deletes no decision": lambda: engine.client_as("ApprovalDeskFunction", "dynamodb").delete_item(
            TableName=engine.outputs["DecisionsTable"], Key=row
        ),
        **{
            f"{function} writes no decision": functools.partial(
                engine.client_as(function, "dynamodb").put_item, TableName=engine.outputs["DecisionsTable"], Item=row
            )
            for function in ("KillSwitchFunction", "PresetPromotionFunction", "SlackGatewayFunction")
        },
    }  # fmt: skip
    codes = {name: _refused(call) for name, call in denied.items()}
    assert set(codes.values()) <= {"AccessDenied", "AccessDeniedException", "403"}, codes
