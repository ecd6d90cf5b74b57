"""Deploys a built template: every resource in the order of its references, and nothing that is not understood."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ParamValidationError

from sandbox.engine import resources
from sandbox.engine.api_destination import ApiDestination, Connection
from sandbox.engine.aws import Aws
from sandbox.engine.dynamic_references import resolved
from sandbox.engine.errors import DeploymentFailed, UnsupportedTemplate
from sandbox.engine.functions import Function, QueueMapping, StreamMapping
from sandbox.engine.intrinsics import NO_VALUE, Intrinsics
from sandbox.engine.permissions import Permissions
from sandbox.engine.policy import Statement
from sandbox.engine.resources.registry import HANDLERS, Made, check
from sandbox.engine.template import ACCOUNT, REGION, load

# Each module registers the resource types of its service.
for _service in pkgutil.iter_modules(resources.__path__):
    importlib.import_module(f"{resources.__name__}.{_service.name}")


class Stack:
    """What a template became. Resources ask it for clients, names and permissions, and leave what they wired up.

    A change of the template reaches the sandbox by this class alone: there is no other list of what a stack holds.
    """

    def __init__(
        self,
        built: Path,
        parameters: Mapping[str, str],
        aws: Aws,
        permissions: Permissions,
        url: Callable[[str], str],
        prefix: str = "",
    ) -> None:
        """`prefix` tells the functions of stacks in one engine apart in its records."""
        self.prefix = prefix
        self.built, self.aws, self.permissions, self.url = built, aws, permissions, url
        self.template, self._parameters = load(built / "template.yaml", parameters)
        self.name = "sandbox"
        self.functions: dict[str, Function] = {}
        self.layers: dict[str, Path] = {}
        self.mappings: list[QueueMapping] = []
        self.streams: list[StreamMapping] = []
        self.managed_policies: dict[str, list[Statement]] = {}
        self.dead_letters: set[str] = set()
        self.schedules: dict[str, str] = {}
        self.connections: dict[str, Connection] = {}
        self.destinations: dict[str, ApiDestination] = {}
        self.outputs: dict[str, Any] = {}
        self._made: dict[str, Made] = {}
        self._making: list[str] = []
        self._checks: list[Callable[[], None]] = []
        self._intrinsics = Intrinsics(self.template, self._ref, self._attribute)

    def deploy(self, name: str) -> None:
        """Creates everything. Raises `UnsupportedTemplate` or `DeploymentFailed`."""
        self.name = name
        for logical_id in self.template["Resources"]:
            if self._exists(logical_id):
                self._make(logical_id)
        for verify in self._checks:
            verify()
        for output, body in self.template.get("Outputs", {}).items():
            if "Condition" not in body or self._intrinsics.condition(body["Condition"]):
                self.outputs[output] = self._intrinsics.resolve(body["Value"], output)

    def default_name(self, logical_id: str, longest: int = 64) -> str:
        return f"{self.name}-{logical_id}"[:longest]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"

    def afterwards(self, verify: Callable[[], None]) -> None:
        """Runs a check once all resources are there, since a role's policies may come after its function."""
        self._checks.append(verify)

    @property
    def resources(self) -> dict[str, str]:
        """What `Ref` gives for each resource that was made, by logical id."""
        return {logical_id: made.ref for logical_id, made in self._made.items()}

    def physical(self, logical_id: str) -> str:
        """The name, URL or ARN (whatever `Ref` gives) of a resource."""
        try:
            return self._made[logical_id].ref
        except KeyError:
            raise KeyError(f"the stack has no resource {logical_id}") from None

    def has(self, logical_id: str) -> bool:
        """Whether the resource was made: its condition may be off."""
        return logical_id in self._made

    def attribute_of(self, logical_id: str, attribute: str) -> Any:
        return self._made[logical_id].attributes[attribute]

    def of_kind(self, kind: str) -> Iterable[str]:
        return [name for name in self._made if self.template["Resources"][name]["Type"] == kind]

    def _exists(self, logical_id: str) -> bool:
        condition = self.template["Resources"][logical_id].get("Condition")
        return condition is None or self._intrinsics.condition(condition)

    def _make(self, logical_id: str) -> Made:
        if logical_id in self._made:
            return self._made[logical_id]
        if logical_id in self._making:
            raise DeploymentFailed(logical_id, f"circular reference: {' -> '.join([*self._making, logical_id])}")
        resource = self.template["Resources"][logical_id]
        kind = resource["Type"]
        if kind not in HANDLERS:
            raise UnsupportedTemplate(logical_id, kind, "resources of this type are not known")
        self._making.append(logical_id)
        depends = resource.get("DependsOn", [])
        for other in [depends] if isinstance(depends, str) else depends:
            if self._exists(other):
                self._make(other)
        properties = self._intrinsics.resolve(resource.get("Properties", {}), logical_id)
        check(kind, logical_id, properties)
        try:
            properties = resolved(properties, self._secret, logical_id)
            made = HANDLERS[kind].make(self, logical_id, properties)
        except (ClientError, ParamValidationError) as error:
            raise DeploymentFailed(logical_id, f"{kind}: {error}") from error
        self._making.pop()
        self._made[logical_id] = made
        return made

    def _secret(self, name: str) -> str:
        return str(self.aws.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    def _ref(self, name: str) -> Any:
        pseudo = {
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::Partition": "aws",
            "AWS::StackName": self.name,
            "AWS::StackId": self.arn("cloudformation", f"stack/{self.name}/sandbox"),
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": NO_VALUE,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self._parameters:
            return self._parameters[name]
        if name not in self.template["Resources"]:
            raise UnsupportedTemplate(name, "Ref", "neither a parameter nor a resource")
        return self._make(name).ref

    def _attribute(self, logical_id: str, attribute: str) -> Any:
        if logical_id not in self.template["Resources"]:
            raise UnsupportedTemplate(logical_id, "Fn::GetAtt", "is not a resource")
        attributes = self._make(logical_id).attributes
        if attribute not in attributes:
            kind = self.template["Resources"][logical_id]["Type"]
            raise UnsupportedTemplate(logical_id, kind, f"attribute {attribute} (GetAtt) is not known")
        return attributes[attribute]
