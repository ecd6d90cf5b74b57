"""What stands in `deploy/` beside Governor's own stack is valid, and does what the documents say of it."""

from pathlib import Path
from typing import Any

import cfnlint.api
import cfnlint.core
import pytest
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted(ROOT.glob("deploy/*.yaml"))


def _template(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml_parse((ROOT / "deploy" / name).read_text())
    return document


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_template_is_one_that_cloudformation_takes_and_a_document_names(path: Path) -> None:
    assert cfnlint.api.lint(path.read_text(), cfnlint.core.get_rules([], [], []), ["us-east-1"]) == []
    documents = "".join(one.read_text() for one in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
    assert f"deploy/{path.name}" in documents


def test_the_edge_hands_slacks_request_on_as_it_was_signed_and_keeps_nothing() -> None:
    resources = _template("slack-edge.yaml")["Resources"]
    config = resources["Distribution"]["Properties"]["DistributionConfig"]
    behavior = config["DefaultCacheBehavior"]
    assert "POST" in behavior["AllowedMethods"]
    # AWS's managed policies CachingDisabled and AllViewerExceptHostHeader, by their documented ids.
    assert behavior["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    assert behavior["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert behavior["ViewerProtocolPolicy"] == config["Origins"][0]["CustomOriginConfig"]["OriginProtocolPolicy"]
    # A repeat to the origin would be a second interaction's worth of waiting inside Slack's three seconds.
    assert config["Origins"][0]["ConnectionAttempts"] == 1


def test_the_edge_limits_each_sender_and_not_all_of_them_together() -> None:
    acl = _template("slack-edge.yaml")["Resources"]["WebAcl"]["Properties"]
    (rule,) = acl["Rules"]
    assert rule["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    assert (rule["Action"], acl["DefaultAction"]) == ({"Block": {}}, {"Allow": {}})


def test_a_function_in_the_egress_vpc_leaves_by_an_address_that_stays() -> None:
    template = _template("fixed-egress.yaml")
    resources = template["Resources"]
    for zone in ("A", "B"):
        association = next(
            one["Properties"]
            for one in resources.values()
            if one["Type"].endswith("SubnetRouteTableAssociation")
            and one["Properties"]["SubnetId"] == {"Ref": f"Private{zone}"}
        )
        route = next(
            one["Properties"]
            for one in resources.values()
            if one["Type"] == "AWS::EC2::Route" and one["Properties"]["RouteTableId"] == association["RouteTableId"]
        )
        nat = resources[route["NatGatewayId"]["Ref"]]["Properties"]
        assert nat["SubnetId"] == {"Ref": f"Public{zone}"}, "a zone that fails takes no other along"
        address = nat["AllocationId"]["Fn::GetAtt"][0]
        assert resources[address]["DeletionPolicy"] == "RetainExceptOnCreate"
        assert {"Ref": address} in template["Outputs"]["Addresses"]["Value"]["Fn::Join"][1]
    assert "SecurityGroupIngress" not in resources["Functions"]["Properties"]
