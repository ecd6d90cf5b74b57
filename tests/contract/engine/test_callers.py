"""STS names whoever signed, and refuses what they did not sign: `StsIdentities` against it, over HTTP."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from botocore.credentials import ReadOnlyCredentials

from governor.aws_identity import Proof, StsIdentities, Unproven, digest, regional, sign
from sandbox.engine import Engine

TEMPLATE = """
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: echo.handler
      CodeUri: code
"""
REGION, ACCOUNT = "us-east-1", "123456789012"
USER = f"arn:aws:iam::{ACCOUNT}:user/people/lead"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Operators_0123456789abcdef/lead@example.com"
DIGEST = digest("arn:aws:events:us-east-1:123456789012:event-bus/governor", "rotate prod-search-agent", "n1")


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, {"code/echo.py": "def handler(event, context): return {}"})


@pytest.fixture(scope="module")
def credentials(engine: Engine) -> dict[str, ReadOnlyCredentials]:
    made = {arn: engine.sign_in(arn) for arn in (USER, SESSION)}
    return {
        arn: ReadOnlyCredentials(
            one["aws_access_key_id"], one["aws_secret_access_key"], one.get("aws_session_token", "")
        )
        for arn, one in made.items()
    }


@pytest.fixture
def identities(engine: Engine) -> StsIdentities:
    return StsIdentities(lambda: engine.client("sts").meta.endpoint_url, REGION)


def _sign(engine: Engine, credentials: ReadOnlyCredentials) -> Proof:
    return sign(credentials, engine.client("sts").meta.endpoint_url, REGION, DIGEST)


@pytest.mark.parametrize("arn", [USER, SESSION])
def test_whoever_signed_is_named_however_the_proof_travelled(engine, credentials, identities, arn):
    proof = Proof.decode(_sign(engine, credentials[arn]).encode())
    assert identities.signer(proof, DIGEST) == arn


@pytest.mark.parametrize("arn", [USER, SESSION])
def test_a_proof_of_another_command_stack_or_time_or_of_another_key_is_refused(engine, credentials, identities, arn):
    proof = _sign(engine, credentials[arn])
    others = digest("arn:aws:events:us-east-1:123456789012:event-bus/other", "rotate prod-search-agent", "n1")
    forged = [
        (proof, digest("arn:aws:events:us-east-1:123456789012:event-bus/governor", "disable prod-search-agent", "n1")),
        (proof, others),
        (replace(proof, at="20260105T000100Z"), DIGEST),
        (replace(proof, signature="0" * 64), DIGEST),
        (replace(proof, access_key="A" * 20), DIGEST),
        (replace(proof, token="" if proof.token else "fake"), DIGEST),
        (_sign(engine, credentials[arn]._replace(secret_key="guessed")), DIGEST),
    ]
    for one, bound in forged:
        with pytest.raises(Unproven, match="STS refuses the signature"):
            identities.signer(one, bound)


def test_the_identity_of_one_is_not_had_with_the_key_of_another(engine, credentials, identities):
    mine, theirs = _sign(engine, credentials[USER]), _sign(engine, credentials[SESSION])
    with pytest.raises(Unproven):
        identities.signer(replace(mine, access_key=theirs.access_key, token=theirs.token), DIGEST)


def test_an_older_sdk_meets_at_the_same_regional_endpoint():
    assert regional("https://sts.amazonaws.com", "eu-west-1") == "https://sts.eu-west-1.amazonaws.com"
    assert regional("https://sts.eu-west-1.amazonaws.com", "eu-west-1") == "https://sts.eu-west-1.amazonaws.com"
    assert regional("http://localhost:5000", "eu-west-1") == "http://localhost:5000"
