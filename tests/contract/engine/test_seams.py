"""One canary for each private seam the engine leans on. A failure says which seam moved with an upgrade."""

import inspect
from importlib.metadata import version

import pytest
import time_machine
from awslambdaric import bootstrap
from awslambdaric.lambda_runtime_client import InvocationRequest, LambdaRuntimeClient
from botocore.session import Session
from moto import backend_index
from moto.awslambda.models import LambdaBackend, LambdaFunction
from moto.core import responses
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError, _RESTError
from moto.core.responses import BaseResponse
from moto.events.models import Archive, EventPattern, Rule, events_backends
from moto.events.utils import EventTemplateParser
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.kms.models import kms_backends
from moto.s3.models import s3_backends
from moto.scheduler.models import scheduler_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.sns.models import Subscription, Topic
from moto.sqs.models import Message, Queue, sqs_backends
from samtranslator.translator.transform import transform

from sandbox.engine.memoized import ASKED_MOST
from sandbox.engine.runtime import REQUIREMENTS

ACCOUNT, REGION = "123456789012", "us-east-1"


@pytest.mark.parametrize(
    ("seam", "function", "parameters"),
    [
        (
            "every call's authorization",
            ActionAuthenticatorMixin._authenticate_and_authorize_action,
            "self iam_request_cls resource",
        ),
        ("the parameters of a call", BaseResponse.parse_parameters, "self request"),
        ("the name of a call", BaseResponse._get_action, "self"),
        ("a client's own timeouts", Session.create_client, "self service_name"),
        ("delivery by a rule", Rule.send_to_targets, "self original_event transform_input"),
        ("a rule's pattern", EventPattern.get_pattern, "self"),
        ("invocation of a function", LambdaFunction.invoke, "self body request_headers response_headers"),
        (
            "SNS to a function",
            LambdaBackend.send_sns_message,
            "self function_name message subject qualifier",
        ),
        (
            "SNS to anybody",
            Subscription.publish,
            "self message message_id subject message_attributes group_id deduplication_id message_structure",
        ),
        ("the runtime client's next", LambdaRuntimeClient.wait_next_invocation, "self"),
        ("the runtime client's loop", bootstrap.run, "handler lambda_runtime_client"),
        ("the transform", transform, "input_fragment parameter_values managed_policy_loader"),
        ("the clock", time_machine.Traveller.move_to, "self destination tick"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_a_function_still_has_its_signature(seam, function, parameters):
    found = list(inspect.signature(function).parameters)

    assert found[: len(parameters.split())] == parameters.split(), f"seam moved: {seam}"


@pytest.mark.parametrize(
    ("seam", "holder", "words"),
    [
        ("an invocation carries its deadline", LambdaRuntimeClient.wait_next_invocation, "deadline_time_in_ms="),
        ("an archive is filled by its own rule", events_backends[ACCOUNT][REGION].create_archive, "prod.vhs.events"),
        ("a topic remembers what was published", Topic.__init__, "self.sent_notifications"),
        ("a call that is refused says so in its protocol", BaseResponse.call_action, "except HTTPException"),
        ("moto authorizes S3 with the bucket's ARN", ActionAuthenticatorMixin, "s3:::{arn}"),
        ("an archive keeps its events", Archive.__init__, "self.events"),
        ("a queue keeps its messages", Queue.__init__, "self._messages: list[Message]"),
        ("a queue knows its order", Queue.__init__, "self.fifo_queue"),
        ("a message waits and hides", Message.__init__, "self.delayed_until"),
        ("a path into an event is parsed at every event", EventTemplateParser.parse, "jsonpath_ng.ext import parse"),
        ("a queue's messages in flight", Queue.__init__, "self._pending_messages"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_a_private_name_is_still_in_its_place(seam, holder, words):
    assert words in inspect.getsource(holder), f"seam moved: {seam}"


@pytest.mark.parametrize(
    ("seam", "holder", "names"),
    [
        ("schedules kept by moto", scheduler_backends[ACCOUNT][REGION], "schedule_groups"),
        ("rules kept by moto", events_backends[ACCOUNT][REGION], "event_buses archives"),
        ("secrets kept by moto", secretsmanager_backends[ACCOUNT][REGION], "secrets"),
        ("keys kept by moto", kms_backends[ACCOUNT][REGION], "any_id_to_key_id"),
        ("buckets kept by moto", s3_backends[ACCOUNT]["aws"], "buckets"),
        ("messages kept by moto", sqs_backends[ACCOUNT][REGION], "queues"),
        ("what a queue tells", Queue, "pending_messages attributes"),
        ("the calls that a service has", responses, "method_names_from_class"),
        ("whose an address is", backend_index, "backend_url_patterns"),
        ("a refusal in XML", _RESTError("Code", "words"), "code description"),
        ("a refusal in JSON", JsonRESTError("Code", "words"), "code description"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)  # fmt: skip
def test_state_is_still_where_the_engine_reads_it(seam, holder, names):
    missing = [name for name in names.split() if not hasattr(holder, name)]

    assert not missing, f"seam moved: {seam}: {missing}"


@pytest.mark.parametrize("service", ASKED_MOST)
def test_an_address_that_is_tried_first_is_no_other_services(service):
    address = f"https://{service}.{REGION}.amazonaws.com/"

    fitting = {name for name, pattern in backend_index.backend_url_patterns if pattern.match(address)}

    assert fitting == {service}, "seam moved: the order decides whose an address is"


def test_awss_own_policies_are_still_at_hand():
    assert '"AWSLambdaBasicExecutionRole":' in aws_managed_policies_data, "seam moved: AWS's managed policies"


def test_an_invocation_request_still_takes_any_field():
    request = InvocationRequest(deadline_time_in_ms="1")

    assert request.deadline_time_in_ms == "1", "seam moved: the runtime client's request"


def test_the_workers_run_what_the_engine_was_built_against():
    pinned = dict(line.split(" ")[0].split("==") for line in REQUIREMENTS.read_text().splitlines() if "==" in line[:40])

    for name in ("awslambdaric", "boto3", "time-machine"):
        assert pinned[name] == version(name), f"{name} in runtime-requirements.txt differs from uv.lock"
