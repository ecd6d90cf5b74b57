"""What the engine does not understand is an error that names it, and what AWS would refuse is refused."""

import pytest

from sandbox.engine import DeploymentFailed, Engine, EngineError, UnsupportedTemplate

ROLE = """
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{Effect: Allow, Principal: {Service: %s}, Action: "sts:AssumeRole"}]
      Policies: [{PolicyName: p, PolicyDocument: {Statement: %s}}]
"""
FUNCTION = """
  Function:
    Type: AWS::Serverless::Function
    Properties: {Runtime: python3.13, Handler: app.handler, CodeUri: code, Timeout: 60, Role: !GetAtt Role.Arn}
"""
UNKNOWN = {
    "a type": ("  It: {Type: AWS::Neptune::DBCluster}", "It (AWS::Neptune::DBCluster)"),
    "a property": (
        "  It: {Type: AWS::SQS::Queue, Properties: {RedriveAllowPolicy: {}}}",
        "It (AWS::SQS::Queue): property RedriveAllowPolicy",
    ),
    "a property of an object": (
        "  It: {Type: AWS::SQS::Queue, Properties: {RedrivePolicy: {color: red}}}",
        "It (AWS::SQS::Queue): property RedrivePolicy.color",
    ),
    "a property of an object in a list": (
        "  It: {Type: AWS::Events::Rule, Properties: {EventPattern: {a: [b]}, Targets: [{Id: x, EcsParameters: {}}]}}",
        "It (AWS::Events::Rule): property Targets.EcsParameters",
    ),
    "an intrinsic": (
        "  It: {Type: AWS::SQS::Queue, Properties: {QueueName: {Fn::ImportValue: x}}}",
        "It (intrinsic): Fn::ImportValue",
    ),
    "an attribute of a resource": (
        "  It: {Type: AWS::SQS::Queue}\n  Other: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt It.Colour}}",
        "It (AWS::SQS::Queue): attribute Colour",
    ),
    "a resource's attribute": ("  It: {Type: AWS::SQS::Queue, CreationPolicy: {}}", "attribute CreationPolicy"),
    "a reference": ("  It: {Type: AWS::SQS::Queue, Properties: {QueueName: !Ref Nobody}}", "Nobody (Ref)"),
    "a condition key": (
        ROLE % ("lambda.amazonaws.com", '[{Effect: Allow, Action: "*", Resource: "*", Condition: '
        '{IpAddress: {"aws:SourceIp": 10.0.0.0/8}}}]'),
        "condition operator IpAddress",
    ),
    "a condition key of a known operator": (
        ROLE % ("lambda.amazonaws.com", '[{Effect: Allow, Action: "*", Resource: "*", Condition: '
        '{StringEquals: {"aws:PrincipalOrgID": o-1}}}]'),
        "condition key aws:PrincipalOrgID",
    ),
    "a filter of a pattern": (
        "  It: {Type: AWS::Events::Rule, Properties: {EventPattern: {a: [{like: b}]}}}",
        "EventBridge has no filter 'like'",
    ),
    "a target of a schedule": (
        ROLE % ("scheduler.amazonaws.com", "[]")
        + "  It: {Type: AWS::Scheduler::Schedule, Properties: {ScheduleExpression: rate(1 hour), FlexibleTimeWindow: "
        '{Mode: "OFF"}, Target: {Arn: "arn:aws:scheduler:::aws-sdk:ec2:stopInstances", RoleArn: !GetAtt Role.Arn}}}',
        "It (AWS::Scheduler::Schedule): target",
    ),
}  # fmt: skip
REFUSED = {
    "a role that Lambda cannot assume": (
        ROLE % ("ec2.amazonaws.com", "[]") + FUNCTION,
        "lambda.amazonaws.com cannot assume",
    ),
    "a poller without permission": (
        ROLE % ("lambda.amazonaws.com", "[]")
        + FUNCTION
        + "  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 60}}\n"
        "  It: {Type: AWS::Lambda::EventSourceMapping, Properties: "
        "{EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Function}}",
        "may not sqs:ReceiveMessage",
    ),
    "a queue that shows messages again while they are worked on": (
        ROLE % ("lambda.amazonaws.com", '[{Effect: Allow, Action: "sqs:*", Resource: "*"}]')
        + FUNCTION
        + "  Queue: {Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: 30}}\n"
        "  It: {Type: AWS::Lambda::EventSourceMapping, Properties: "
        "{EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Function}}",
        "is less than the function's timeout",
    ),
    "a failure's destination that the role may not use": (
        ROLE % ("lambda.amazonaws.com", "[]") + FUNCTION + "  Queue: {Type: AWS::SQS::Queue}\n"
        "  It: {Type: AWS::Lambda::EventInvokeConfig, Properties: {FunctionName: !Ref Function, Qualifier: $LATEST, "
        "DestinationConfig: {OnFailure: {Destination: !GetAtt Queue.Arn}}}}",
        "may not sqs:SendMessage",
    ),
    "a circle": (
        "  A: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt B.QueueName}}\n"
        "  B: {Type: AWS::SQS::Queue, Properties: {QueueName: !GetAtt A.TopicName}}",
        "circular reference: A -> B -> A",
    ),
    "a deletion policy that AWS does not know": (
        "  It: {Type: AWS::SQS::Queue, DeletionPolicy: Keep}",
        "It: DeletionPolicy: 'Keep' is not one of",
    ),
    "a replacement's policy that only deletion knows": (
        "  It: {Type: AWS::SQS::Queue, UpdateReplacePolicy: RetainExceptOnCreate}",
        "It: UpdateReplacePolicy: 'RetainExceptOnCreate' is not one of",
    ),
    "code that was not built": (
        ROLE % ("lambda.amazonaws.com", "[]") + FUNCTION.replace("CodeUri: code", "CodeUri: nowhere"),
        "run sam build",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_the_unknown_is_named(lay_out, case):
    template, words = UNKNOWN[case]

    with pytest.raises(UnsupportedTemplate) as raised:
        Engine.deploy(lay_out(template))

    assert words in str(raised.value)


@pytest.mark.parametrize("case", REFUSED)
def test_what_aws_would_refuse_is_refused(lay_out, case):
    template, words = REFUSED[case]

    with pytest.raises(DeploymentFailed) as raised:
        Engine.deploy(lay_out(template))

    assert words in str(raised.value)


def test_a_property_of_a_serverless_resource_that_nobody_knows_is_refused(lay_out):
    template = FUNCTION.replace("Timeout: 60", "Timeout: 60, Colour: red")

    with pytest.raises(DeploymentFailed, match="Colour"):
        Engine.deploy(lay_out(template))


def test_a_condition_decides_what_is_deployed_and_what_outputs_say(tmp_path, lay_out):
    folder = lay_out("""
  Maybe: {Type: AWS::SQS::Queue, Condition: Wanted}
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: !Sub "${AWS::StackName}-${Stage}"}}
""")
    text = (folder / "template.yaml").read_text()
    head = "Parameters: {Stage: {Type: String, Default: dev, AllowedValues: [dev, prod]}}\n"
    head += "Conditions: {Wanted: !Equals [!Ref Stage, prod]}\n"
    tail = "Outputs:\n  Bus: {Value: !Ref Bus}\n  Queue: {Value: !Ref Maybe, Condition: Wanted}\n"
    (folder / "template.yaml").write_text(head + text + tail)

    with Engine.deploy(folder, name="one") as engine:
        assert engine.outputs == {"Bus": "one-dev"}
    with Engine.deploy(folder, {"Stage": "prod"}, name="two") as engine:
        assert set(engine.outputs) == {"Bus", "Queue"}
    with pytest.raises(DeploymentFailed, match="Stage: 'test' is not one of"):
        Engine.deploy(folder, {"Stage": "test"})
    with pytest.raises(DeploymentFailed, match="Nonsense: is not a parameter"):
        Engine.deploy(folder, {"Nonsense": "1"})


def test_one_engine_at_a_time(lay_out):
    folder = lay_out("  Queue: {Type: AWS::SQS::Queue}")

    with Engine.deploy(folder), pytest.raises(EngineError, match="running in this process already"):
        Engine.deploy(folder)


def test_a_stack_leaves_nothing_behind(lay_out):
    folder = lay_out("  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: q}}")

    with Engine.deploy(folder) as engine:
        engine.client("sqs").send_message(QueueUrl=engine.physical("Queue"), MessageBody="x")
    with Engine.deploy(folder) as engine:
        assert engine.messages("Queue") == []


RULES = """
Parameters: {One: {Type: String, Default: a}, Other: {Type: String, Default: b}}
Rules:
  Apart:
    RuleCondition: !And [!Contains [[a, c], !Ref One], !Equals [!Ref "AWS::Region", us-east-1]]
    Assertions:
      - {Assert: !Not [!Equals [!Ref One, !Ref Other]], AssertDescription: the two are the same}
      - {Assert: !EachMemberIn [[!Ref Other], [a, b]], AssertDescription: the other is unheard of}
"""


@pytest.mark.parametrize(
    ("parameters", "refusal"),
    [
        ({}, None),
        ({"Other": "a"}, "Apart: the two are the same"),
        ({"Other": "z"}, "Apart: the other is unheard of"),
        ({"One": "z", "Other": "z"}, None),
    ],
)
def test_rules_are_asserted_before_anything_is_created(lay_out, parameters, refusal):
    folder = lay_out("  It: {Type: AWS::SQS::Queue}\n")
    text = (folder / "template.yaml").read_text()
    (folder / "template.yaml").write_text(RULES + text)
    if refusal is None:
        with Engine.deploy(folder, parameters):
            return
    with pytest.raises(DeploymentFailed, match=refusal):
        Engine.deploy(folder, parameters)


def test_a_rule_that_looks_beyond_parameters_is_named(lay_out):
    folder = lay_out("  It: {Type: AWS::SQS::Queue}\n")
    text = (folder / "template.yaml").read_text()
    rule = "Rules: {Odd: {Assertions: [{Assert: !Equals [!Ref It, a]}]}}\n"
    (folder / "template.yaml").write_text(rule + text)
    with pytest.raises(UnsupportedTemplate, match="rules see parameters only"):
        Engine.deploy(folder)


@pytest.mark.parametrize(("protected", "kept"), [("true", True), ("false", False)])
def test_a_protected_table_is_not_deleted_by_one_call(lay_out, protected, kept):
    folder = lay_out(f"""
  It:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: RetainExceptOnCreate
    Properties:
      BillingMode: PAY_PER_REQUEST
      DeletionProtectionEnabled: "{protected}"
      AttributeDefinitions: [{{AttributeName: pk, AttributeType: S}}]
      KeySchema: [{{AttributeName: pk, KeyType: HASH}}]
""")
    with Engine.deploy(folder) as engine:
        client = engine.client("dynamodb")
        if kept:
            with pytest.raises(client.exceptions.ClientError, match="DeletionProtectionEnabled"):
                client.delete_table(TableName=engine.physical("It"))
        else:
            client.delete_table(TableName=engine.physical("It"))
