"""Secrets. Their tags count, since policies may ask for them."""

import json
from typing import TYPE_CHECKING

from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::SecretsManager::Secret",
    "Name SecretString GenerateSecretString Tags",
    inert={"Description": LABEL, "KmsKeyId": ENCRYPTION},
)
def secret(stack: "Stack", logical_id: str, p: Properties) -> Made:
    client = stack.aws.client("secretsmanager")
    given = {"SecretString": p["SecretString"]} if "SecretString" in p else {}
    if "GenerateSecretString" in p:
        rules = dict(p["GenerateSecretString"])
        template, key = rules.pop("SecretStringTemplate", None), rules.pop("GenerateStringKey", None)
        word = client.get_random_password(**rules)["RandomPassword"]
        given["SecretString"] = word if template is None else json.dumps({**json.loads(template), key: word})
    arn = client.create_secret(Name=p.get("Name", stack.default_name(logical_id)), Tags=p.get("Tags", []), **given)[
        "ARN"
    ]
    return Made(arn, {"Id": arn})
