"""Proof of who sends a command: a request to `sts:GetCallerIdentity` that the sender signs and does not send.

Whoever receives the command sends that request to STS, whose answer names the identity that signed it. A header of the
request, which the signature covers, holds the digest of the command, of the stack that it is meant for and of a nonce.
So the signature is good for this command on this stack, and for nothing else; a repeat has the same id. The receiver
makes the request itself from four short fields: neither the host nor the headers come from the sender.

Sources: the AWS Signature Version 4 documents (IAM User Guide, "AWS Signature Version 4 for API requests"), the STS API
Reference, "GetCallerIdentity" (which needs no permission), and the AWS auth method of Vault and the AWS IAM
Authenticator for Kubernetes, which prove identities in this way.
"""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

HEADER = "X-Governor-Command"
BODY = "Action=GetCallerIdentity&Version=2011-06-15"
CONTENT_TYPE = "application/x-www-form-urlencoded; charset=utf-8"
WINDOW = timedelta(minutes=5)
"""How far the time of a signature may lie from now. AWS takes a signed request within five minutes of its time."""
MAX_TOKEN = 8192
"""Characters of a session token. AWS sets no bound; those of IAM Identity Center have one to two thousand."""
_FORMAT = "%Y%m%dT%H%M%SZ"
_SHAPES = {
    "access_key": re.compile(r"[A-Z0-9]{16,128}"),
    "at": re.compile(r"[0-9]{8}T[0-9]{6}Z"),
    "signature": re.compile(r"[0-9a-f]{64}"),
    "token": re.compile(rf"[\x21-\x7e]{{0,{MAX_TOKEN}}}"),
}
_ARN = re.compile(rb"<Arn>(arn:[\x21-\x25\x27-\x3b\x3d-\x7e]{1,2048})</Arn>")
_CODE = re.compile(rb"<Code>(\w{1,80})</Code>")
_LATER = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "ServiceUnavailable"})


class Unproven(Exception):
    """The proof shows nothing: it has another shape, is too old, or STS refuses it. `rule` says which."""

    def __init__(self, rule: str, why: str) -> None:
        super().__init__(why)
        self.rule = rule


class StsUnavailable(Exception):
    """STS did not answer; try again."""


@dataclass(frozen=True)
class Proof:
    """What of the signed request is the signer's: all else of it is known. `at`: as the header `X-Amz-Date`."""

    access_key: str
    at: str
    signature: str
    token: str = ""

    def encode(self) -> str:
        """In hexadecimal digits: an access key's id is taken for a pasted credential and redacted from events."""
        held = {name: getattr(self, name) for name in _SHAPES}
        return json.dumps(held, separators=(",", ":")).encode().hex()

    @classmethod
    def decode(cls, text: str) -> Self:
        """Raises `Unproven`."""
        try:
            held: Any = json.loads(bytes.fromhex(text)) if len(text) <= 4 * MAX_TOKEN else None
        except (ValueError, RecursionError):
            held = None
        if not isinstance(held, dict) or set(held) != set(_SHAPES):
            raise Unproven("bad_proof", "the proof is not what the command line makes")
        for name, shape in _SHAPES.items():
            if not isinstance(held[name], str) or not shape.fullmatch(held[name]):
                raise Unproven("bad_proof", f"the proof's {name} has another shape")
        return cls(**held)

    def time(self) -> datetime:
        """When it was signed. Raises `Unproven` for a time that there is not."""
        try:
            return datetime.strptime(self.at, _FORMAT).replace(tzinfo=UTC)
        except ValueError:
            raise Unproven("bad_proof", "the proof's time is none") from None

    def headers(self, region: str, digest: str) -> dict[str, str]:
        """The headers of the signed request, as STS must get them."""
        token = {"X-Amz-Security-Token": self.token} if self.token else {}
        signed = ["content-type", "host", "x-amz-date", *(name.lower() for name in token), HEADER.lower()]
        return {
            "Content-Type": CONTENT_TYPE,
            HEADER: digest,
            "X-Amz-Date": self.at,
            **token,
            "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.at[:8]}/{region}/sts/aws4_request, "
            f"SignedHeaders={';'.join(sorted(signed))}, Signature={self.signature}",
        }


def digest(stack: str, command: str, nonce: str) -> str:
    """What the signature is bound to. `stack`: the ARN of the stack's bus."""
    text = json.dumps(["governor command 1", stack, command, nonce], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def interaction_id(digest: str, proof: Proof) -> str:
    """The id of a command: the same for each of its deliveries, and another for another signature."""
    return hashlib.sha256(f"{digest} {proof.access_key} {proof.signature}".encode()).hexdigest()


def regional(url: str, region: str) -> str:
    """The region's own endpoint of STS (or the one that the environment sets), where signer and receiver meet.

    `url`: the endpoint of the SDK's client. Older SDKs, and `AWS_STS_REGIONAL_ENDPOINTS=legacy`, choose the global one,
    which has another host.
    """
    return f"https://sts.{region}.amazonaws.com" if url == "https://sts.amazonaws.com" else url


def sign(credentials: "ReadOnlyCredentials", url: str, region: str, digest: str) -> Proof:
    """Signs the request with the sender's own credentials; nothing is sent."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    headers = {"Content-Type": CONTENT_TYPE, HEADER: digest}
    request = AWSRequest(method="POST", url=f"{url.rstrip('/')}/", data=BODY, headers=headers)
    SigV4Auth(credentials, "sts", region).add_auth(request)
    signature = str(request.headers["Authorization"]).rpartition("Signature=")[2]
    return Proof(str(credentials.access_key), str(request.headers["X-Amz-Date"]), signature, credentials.token or "")


class Identities(Protocol):
    """Where a signature's identity is learned."""

    def signer(self, proof: Proof, digest: str) -> str:
        """The ARN of the identity that signed this digest. Raises `Unproven` or `StsUnavailable`."""


class StsIdentities:
    """`Identities` over STS. It needs no credentials of its own and follows no redirect."""

    TIMEOUT_SECONDS = 5

    def __init__(self, url: Callable[[], str], region: str) -> None:
        """`url`: of the region's STS. It is asked for at each use: clicks in Slack need not pay for learning it."""
        self._url = url
        self._region = region

    def signer(self, proof: Proof, digest: str) -> str:
        import httpx

        headers, url = proof.headers(self._region, digest), f"{self._url().rstrip('/')}/"
        try:
            with httpx.Client(transport=httpx.HTTPTransport(), timeout=self.TIMEOUT_SECONDS) as client:
                answer = client.post(url, content=BODY, headers=headers)
        except httpx.TransportError as error:
            raise StsUnavailable(f"no answer from {url}: {type(error).__name__}") from error
        if answer.status_code == 200:
            found = _ARN.search(answer.content)
            if found is None:
                raise StsUnavailable("STS answered 200 and named no identity")
            return found[1].decode()
        code = _CODE.search(answer.content)
        if answer.status_code in (400, 403) and code and code[1].decode() not in _LATER:
            raise Unproven("unproven", f"STS refuses the signature: {code[1].decode()}")
        raise StsUnavailable(f"STS answered {answer.status_code}")
