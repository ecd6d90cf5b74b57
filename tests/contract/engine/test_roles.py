"""Every function is held to its own role: by action, by resource, by condition, in every service it may call."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.engine import Engine

TABLE = """
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
"""
TEMPLATE = f"""
  Mine: {TABLE}
  Theirs: {TABLE}
  MyQueue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: mine}}}}
  TheirQueue: {{Type: AWS::SQS::Queue, Properties: {{QueueName: theirs}}}}
  MyTopic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: mine}}}}
  TheirTopic: {{Type: AWS::SNS::Topic, Properties: {{TopicName: theirs}}}}
  MyBus: {{Type: AWS::Events::EventBus, Properties: {{Name: mine}}}}
  TheirBus: {{Type: AWS::Events::EventBus, Properties: {{Name: theirs}}}}
  MyBucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: mine}}}}
  TheirBucket: {{Type: AWS::S3::Bucket, Properties: {{BucketName: theirs}}}}
  OurBus: {{Type: AWS::Events::EventBus, Properties: {{Name: ours}}}}
  OurBusPolicy:
    Type: AWS::Events::EventBusPolicy
    Properties:
      EventBusName: !Ref OurBus
      StatementId: NotUnderThisName
      Statement:
        Effect: Deny
        Principal: "*"
        Action: events:PutEvents
        Resource: !GetAtt OurBus.Arn
        Condition:
          ForAnyValue:StringEquals: {{"events:source": kept}}
          ArnNotEquals: {{"aws:PrincipalArn": !GetAtt Somebody.Arn}}
  Guarded: {{Type: AWS::SQS::Queue, Properties: {{QueueName: guarded}}}}
  GuardedPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Guarded]
      PolicyDocument:
        Statement:
          Effect: Deny
          Principal: "*"
          Action: sqs:SendMessage
          Resource: !GetAtt Guarded.Arn
          Condition: {{ArnNotEquals: {{"aws:PrincipalArn": !GetAtt Somebody.Arn}}}}
  Rows: {TABLE}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref MyBucket
      PolicyDocument:
        Statement:
          - {{Effect: Deny, Principal: "*", Action: "s3:*", Resource: "arn:aws:s3:::mine/secret/*"}}
          - Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: arn:aws:s3:::mine/*
            Condition: {{Bool: {{"aws:SecureTransport": "false"}}}}
  MyParameter: {{Type: AWS::SSM::Parameter, Properties: {{Name: /mine, Type: String, Value: one}}}}
  TheirParameter: {{Type: AWS::SSM::Parameter, Properties: {{Name: /theirs, Type: String, Value: two}}}}
  Tagged:
    Type: AWS::SecretsManager::Secret
    Properties: {{Name: tagged, SecretString: fake, Tags: [{{Key: team, Value: mine}}]}}
  Untagged: {{Type: AWS::SecretsManager::Secret, Properties: {{Name: untagged, SecretString: fake}}}}
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy:
        Statement:
          - Effect: Allow
            Principal: {{AWS: !Sub "arn:aws:iam::${{AWS::AccountId}}:root"}}
            Action: kms:*
            Resource: "*"
  Alias: {{Type: AWS::KMS::Alias, Properties: {{AliasName: alias/mine, TargetKeyId: !Ref Key}}}}
  Logs: {{Type: AWS::Logs::LogGroup, Properties: {{LogGroupName: /mine}}}}
  Somebody:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Statement: [{{Effect: Allow, Principal: {{Service: lambda.amazonaws.com}}, Action: sts:AssumeRole}}]
  Helper:
    Type: AWS::Serverless::Function
    Properties: {{FunctionName: helper, Runtime: python3.13, Handler: app.handler, CodeUri: code, Timeout: 5}}
  Obedient:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: obedient
      Runtime: python3.13
      Handler: app.handler
      CodeUri: code
      Timeout: 20
      Policies:
        - Statement:
            - {{Effect: Allow, Action: ["dynamodb:PutItem", "dynamodb:ConditionCheckItem"], Resource: !GetAtt Mine.Arn}}
            - {{Effect: Allow, Action: "sqs:SendMessage", Resource: [!GetAtt MyQueue.Arn, !GetAtt Guarded.Arn]}}
            - Effect: Allow
              Action: events:PutEvents
              Resource: !GetAtt OurBus.Arn
              Condition:
                "Null": {{"events:source": "false", "events:detail-type": "false"}}
                ForAllValues:StringEquals: {{"events:source": [s, kept], "events:detail-type": [d, e]}}
            - Effect: Allow
              Action: ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query", "dynamodb:Scan",
                "dynamodb:BatchWriteItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"]
              Resource: !GetAtt Rows.Arn
              Condition:
                "Null": {{"dynamodb:LeadingKeys": "false"}}
                ForAllValues:StringLike: {{"dynamodb:LeadingKeys": [own, "own#*"]}}
            - {{Effect: Allow, Action: "sns:Publish", Resource: !Ref MyTopic}}
            - {{Effect: Allow, Action: "events:PutEvents", Resource: !GetAtt MyBus.Arn}}
            - {{Effect: Allow, Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::mine/*"}}
            - {{Effect: Allow, Action: "s3:ListBucket", Resource: "arn:aws:s3:::mine"}}
            - {{Effect: Allow, Action: "s3:GetObject", Resource: "arn:aws:s3:::theirs/*"}}
            - {{Effect: Allow, Action: "ssm:GetParameter", Resource: "arn:aws:ssm:*:*:parameter/mine"}}
            - {{Effect: Allow, Action: "lambda:InvokeFunction", Resource: !GetAtt Helper.Arn}}
            - {{Effect: Allow, Action: "logs:CreateLogStream", Resource: !GetAtt Logs.Arn}}
            - {{Effect: Allow, Action: "kms:Encrypt", Resource: !GetAtt Key.Arn}}
            - Effect: Allow
              Action: cloudwatch:PutMetricData
              Resource: "*"
              Condition: {{StringEquals: {{"cloudwatch:namespace": Mine}}}}
            - Effect: Allow
              Action: secretsmanager:GetSecretValue
              Resource: arn:aws:secretsmanager:*:*:secret:mine-??????
            - Effect: Allow
              Action: secretsmanager:GetSecretValue
              Resource: "*"
              Condition: {{StringEquals: {{"secretsmanager:ResourceTag/team": mine}}}}
"""
ITEM = {"pk": {"S": "x"}}
EVENT = {"Source": "s", "DetailType": "d", "Detail": "{}"}
METRIC = [{"MetricName": "m", "Value": 1}]


def put(table: str) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": ITEM}}


def check(table: str) -> dict[str, Any]:
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": {"pk": {"S": "y"}},
            "ConditionExpression": "attribute_not_exists(pk)",
        }
    }


MINE, THEIRS = "sandbox-Mine", "sandbox-Theirs"
ROWS = "sandbox-Rows"
QUEUES = "http://localhost/123456789012/"


def entry(detail_type: str, source: str = "s") -> dict[str, Any]:
    return {**EVENT, "EventBusName": "ours", "DetailType": detail_type, "Source": source}


def row(pk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}}


def query(pk: str) -> dict[str, Any]:
    return {
        "TableName": ROWS,
        "KeyConditionExpression": "#k = :k",
        "ExpressionAttributeNames": {"#k": "pk"},
        "ExpressionAttributeValues": {":k": {"S": pk}},
    }


def puts(*pks: str) -> dict[str, Any]:
    return {"TransactItems": [{"Put": {"TableName": ROWS, "Item": row(pk)}} for pk in pks]}


def batch(*pks: str) -> dict[str, Any]:
    return {"RequestItems": {ROWS: [{"PutRequest": {"Item": row(pk)}} for pk in pks]}}


ALLOWED = [
    ("events", "put_events", {"Entries": [entry("d"), entry("e")]}),
    ("dynamodb", "put_item", {"TableName": ROWS, "Item": row("own#1")}),
    ("dynamodb", "get_item", {"TableName": ROWS, "Key": row("own")}),
    ("dynamodb", "query", query("own#1")),
    ("dynamodb", "transact_write_items", puts("own", "own#2")),
    ("dynamodb", "batch_write_item", batch("own", "own#2")),
    ("dynamodb", "put_item", {"TableName": MINE, "Item": ITEM}),
    ("dynamodb", "transact_write_items", {"TransactItems": [put(MINE), check(MINE)]}),
    ("sqs", "send_message", {"QueueUrl": QUEUES + "mine", "MessageBody": "x"}),
    ("sqs", "send_message_batch", {"QueueUrl": QUEUES + "mine", "Entries": [{"Id": "1", "MessageBody": "x"}]}),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:mine", "Message": "x"}),
    ("events", "put_events", {"Entries": [{**EVENT, "EventBusName": "mine"}]}),
    ("s3", "put_object", {"Bucket": "mine", "Key": "k", "Body": "x"}),
    ("s3", "get_object", {"Bucket": "mine", "Key": "k"}),
    ("s3", "list_objects_v2", {"Bucket": "mine"}),
    ("ssm", "get_parameter", {"Name": "/mine"}),
    ("lambda", "invoke", {"FunctionName": "helper", "Payload": "{}"}),
    ("logs", "create_log_stream", {"logGroupName": "/mine", "logStreamName": "s"}),
    ("kms", "encrypt", {"KeyId": "alias/mine", "Plaintext": "x"}),
    ("cloudwatch", "put_metric_data", {"Namespace": "Mine", "MetricData": METRIC}),
    ("secretsmanager", "get_secret_value", {"SecretId": "mine"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "tagged"}),
    ("sts", "get_caller_identity", {}),
]
REFUSED = [
    ("events", "put_events", {"Entries": [entry("f")]}, "AccessDeniedException"),
    ("events", "put_events", {"Entries": [entry("d"), entry("f")]}, "AccessDeniedException"),
    ("events", "put_events", {"Entries": [entry("d", "other")]}, "AccessDeniedException"),
    # Allowed by the role, denied by the bus; one entry is enough to refuse the call.
    ("events", "put_events", {"Entries": [entry("d"), entry("e", "kept")]}, "AccessDeniedException"),
    ("sqs", "send_message", {"QueueUrl": QUEUES + "guarded", "MessageBody": "x"}, "AccessDenied"),
    ("dynamodb", "put_item", {"TableName": ROWS, "Item": row("theirs")}, "AccessDeniedException"),
    ("dynamodb", "put_item", {"TableName": ROWS, "Item": row("owned")}, "AccessDeniedException"),
    ("dynamodb", "get_item", {"TableName": ROWS, "Key": row("theirs")}, "AccessDeniedException"),
    ("dynamodb", "delete_item", {"TableName": ROWS, "Key": row("theirs")}, "AccessDeniedException"),
    ("dynamodb", "query", query("theirs"), "AccessDeniedException"),
    ("dynamodb", "transact_write_items", puts("own", "theirs"), "AccessDeniedException"),
    ("dynamodb", "batch_write_item", batch("own", "theirs"), "AccessDeniedException"),
    ("dynamodb", "scan", {"TableName": ROWS}, "AccessDeniedException"),
    ("dynamodb", "put_item", {"TableName": THEIRS, "Item": ITEM}, "AccessDeniedException"),
    ("dynamodb", "get_item", {"TableName": MINE, "Key": ITEM}, "AccessDeniedException"),
    ("dynamodb", "transact_write_items", {"TransactItems": [put(MINE), put(THEIRS)]}, "AccessDeniedException"),
    ("sqs", "send_message", {"QueueUrl": QUEUES + "theirs", "MessageBody": "x"}, "AccessDenied"),
    ("sns", "publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:theirs", "Message": "x"}, "AuthorizationError"),
    ("events", "put_events", {"Entries": [{**EVENT, "EventBusName": "theirs"}]}, "AccessDeniedException"),
    ("events", "put_events", {"Entries": [EVENT]}, "AccessDeniedException"),
    ("s3", "put_object", {"Bucket": "theirs", "Key": "k", "Body": "x"}, "AccessDenied"),
    ("s3", "put_object", {"Bucket": "mine", "Key": "secret/k", "Body": "x"}, "AccessDenied"),
    ("s3", "get_object", {"Bucket": "mine", "Key": "absent"}, "NoSuchKey"),
    ("s3", "get_object", {"Bucket": "theirs", "Key": "absent"}, "AccessDenied"),
    ("ssm", "get_parameter", {"Name": "/theirs"}, "AccessDeniedException"),
    ("lambda", "invoke", {"FunctionName": "obedient", "Payload": "{}"}, "AccessDeniedException"),
    ("logs", "put_retention_policy", {"logGroupName": "/mine", "retentionInDays": 1}, "AccessDeniedException"),
    ("kms", "decrypt", {"KeyId": "alias/mine", "CiphertextBlob": "x"}, "AccessDeniedException"),
    ("cloudwatch", "put_metric_data", {"Namespace": "Theirs", "MetricData": METRIC}, "AccessDeniedException"),
    ("secretsmanager", "get_secret_value", {"SecretId": "untagged"}, "AccessDeniedException"),
    ("secretsmanager", "get_secret_value", {"SecretId": "mine-too"}, "AccessDeniedException"),
    ("scheduler", "list_schedules", {}, "AccessDeniedException"),
    ("iam", "list_roles", {}, "AccessDenied"),
]


@pytest.fixture(scope="module")
def engine(deploy: Callable[..., Engine]) -> Engine:
    return deploy(TEMPLATE, secrets={"mine": {"api_key": "fake"}, "mine-too": "fake"})


@pytest.mark.parametrize(("service", "operation", "arguments"), ALLOWED)
def test_what_the_role_allows_works(engine, service, operation, arguments):
    (answer,) = engine.invoke("Obedient", {"calls": [[service, operation, arguments]]}).result["answers"]

    assert isinstance(answer, dict), answer


@pytest.mark.parametrize(("service", "operation", "arguments", "code"), REFUSED)
def test_what_it_does_not_allow_is_refused(engine, service, operation, arguments, code):
    (answer,) = engine.invoke("Obedient", {"calls": [[service, operation, arguments]]}).result["answers"]

    assert answer == code


def test_a_refused_transaction_writes_nothing(engine):
    assert engine.client("dynamodb").scan(TableName=THEIRS)["Count"] == 0


def test_a_test_can_act_as_a_function(engine):
    client = engine.client_as("Obedient", "dynamodb")

    with pytest.raises(client.exceptions.ClientError, match="not authorized to perform: dynamodb:Scan"):
        client.scan(TableName=MINE)


@pytest.mark.parametrize(("takes_effect", "count"), [(True, 1), (False, 0)])
def test_a_worker_can_die_before_or_after_a_calls_effect(engine, takes_effect, count):
    table = engine.client("dynamodb")
    table.delete_item(TableName=MINE, Key=ITEM)
    engine.faults.kill_during_call("Obedient", "dynamodb:PutItem", takes_effect=takes_effect)

    killed = engine.invoke("Obedient", {"calls": [["dynamodb", "put_item", {"TableName": MINE, "Item": ITEM}]]})

    assert killed.result["errorType"] == "Runtime.ExitError"
    assert table.scan(TableName=MINE)["Count"] == count
