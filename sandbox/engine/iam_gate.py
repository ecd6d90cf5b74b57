"""Every call to moto passes here: the engine's own go through, a worker's are held to its function's role.

The seam is `ActionAuthenticatorMixin._authenticate_and_authorize_action`, which moto calls before every operation.
Signatures are checked of `sts:GetCallerIdentity` only, for whoever receives one proves an identity by it; of all other
calls it is proven what a role may do, not that botocore can sign.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import JsonRESTError, _RESTError
from moto.core.utils import get_service_model
from moto.iam.access_control import IAMRequest, S3IAMRequest
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.models import s3_backends
from moto.secretsmanager.models import secretsmanager_backends
from werkzeug.exceptions import HTTPException

from sandbox.engine.authorization import Need, UnknownCall, needs
from sandbox.engine.permissions import Permissions, Session
from sandbox.engine.template import ACCOUNT, REGION

ADMIN_KEY = "FAKE-ENGINE-ADMIN"
# What a refusal is called, where it is not AccessDenied (query protocol) or AccessDeniedException (the others).
CODES = {"sns": "AuthorizationError", "sqs": "AccessDenied"}


class IamGate:
    """Refuses what a session's role does not allow, with the error code of the service that was called.

    `lost` is told of every permitted call of a worker (holder, action) and answers whether it gets lost on the way;
    faults use it to kill a worker at an exact point.
    """

    def __init__(self, permissions: Permissions, lost: Callable[[str, str], bool]) -> None:
        self._permissions, self._lost = permissions, lost
        self.enforcing = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        gate = self

        def authenticate(response: Any, request_class: type, resource: str = "*") -> None:
            gate._check(response, request_class is S3IAMRequest, resource)

        with patch.object(ActionAuthenticatorMixin, "_authenticate_and_authorize_action", authenticate):
            yield

    def _check(self, response: Any, is_s3: bool, resource: str) -> None:
        # A presigned link has its credential in the query; neither its signature nor its end is checked here.
        (linked,) = response.querystring.get("X-Amz-Credential", [""])[:1] or [""]
        found = re.search(r"Credential=([^/]+)/", response.headers.get("Authorization", "") or f"Credential={linked}")
        key = found[1] if found else None
        if key == ADMIN_KEY or not self.enforcing:
            return
        if response.boto3_service_name == "sts" and response._get_action() == "GetCallerIdentity":
            _check_signature(response)
            return
        session = self._permissions.sessions.get(key or "")
        if session is None:
            raise JsonRESTError("UnrecognizedClientException", "The security token included in the request is invalid.")
        wanted = self._s3_needs(response, resource, session) if is_s3 else self._needs(response)
        for need in wanted:
            if not self._permissions.role_may(session.role_arn, need.action, need.resource, need.context):
                raise _denied(response, is_s3, session, need)
        for need in wanted:
            if self._lost(session.holder, need.action):
                raise JsonRESTError("ServiceUnavailable", "lost on the way, on purpose")

    def _needs(self, response: Any) -> list[Need]:
        operation = response._get_action()
        response.parse_parameters(response.normalized_request)
        try:
            found = needs(response.boto3_service_name, operation, response.params)
        except UnknownCall as error:
            raise _refusal(response, f"The sandbox cannot authorize this call: {error}") from error
        return [_resolved(need, response.region) for need in found]

    def _s3_needs(self, response: Any, resource: str, session: Session) -> list[Need]:
        prefix = response.querystring.get("prefix")
        context = {"s3:prefix": prefix[0]} if prefix else {}
        found = [Need(f"s3:{response.data['Action']}", resource, context)]
        if source := response.headers.get("x-amz-copy-source"):
            found.append(Need("s3:GetObject", f"arn:aws:s3:::{source.lstrip('/').partition('?')[0]}"))
        bucket, _, key = resource.removeprefix("arn:aws:s3:::").partition("/")
        backend = s3_backends[ACCOUNT]["aws"]
        is_absent = bucket in backend.buckets and key not in backend.buckets[bucket].keys
        if found[0].action == "s3:GetObject" and key and is_absent:
            # S3 tells "no such key" only to those who may list the bucket; others hear 403.
            found.append(Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"))
        return found


def _check_signature(response: Any) -> None:
    """Raises STS's refusal for a signature that is not of the headers and the body that came. Anybody may ask."""
    if "Credential=" not in response.headers.get("Authorization", ""):
        raise _RESTError("MissingAuthenticationToken", "Request is missing Authentication Token")
    IAMRequest(
        account_id=response.current_account,
        method=response.method,
        path=response.raw_path,
        data=response.data,
        body=response.raw_body,
        headers=response.headers,
        action="GetCallerIdentity",
    ).check_signature()


def _resolved(need: Need, region: str) -> Need:
    """The need in the region that was called, with a secret's name or a key's alias turned into the ARN that policies
    speak of, and its tags.
    """
    if region != REGION:
        need = Need(need.action, need.resource.replace(f":{REGION}:", f":{region}:", 1), need.context)
    service, name = need.action.partition(":")[0], need.resource
    if service == "secretsmanager" and name != "*":
        for secret in secretsmanager_backends[ACCOUNT][region].secrets.values():
            if name.rpartition(":")[2] in (secret.arn.rpartition(":")[2], secret.name):
                tags = {
                    f"{prefix}:ResourceTag/{tag['Key']}": tag["Value"]
                    for tag in secret.tags or []
                    for prefix in ("aws", "secretsmanager")
                }
                return Need(need.action, secret.arn, {**need.context, **tags})
    if service == "kms" and ":alias/" in name:
        key_id = kms_backends[ACCOUNT][REGION].any_id_to_key_id(name.rpartition(":")[2])
        return Need(need.action, f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key_id}", need.context)
    return need


def _denied(response: Any, is_s3: bool, session: Session, need: Need) -> Exception:
    if is_s3:
        return S3AccessDeniedError()
    role = session.role_arn.rpartition("/")[2]
    words = (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session.holder} is not authorized to perform: "
        f"{need.action} on resource: {need.resource}"
    )
    return _refusal(response, words)


def _refusal(response: Any, words: str) -> HTTPException:
    service = response.boto3_service_name
    protocol = get_service_model(service).resolved_protocol
    if protocol == "query":
        error = _RESTError(CODES.get(service, "AccessDenied"), words)
    else:
        error = JsonRESTError(CODES.get(service, "AccessDeniedException"), words)
    error.code = 400 if protocol == "json" else 403
    return error
