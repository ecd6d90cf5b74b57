"""S3 buckets and their policies."""

from typing import TYPE_CHECKING

from sandbox.engine.permissions import checked
from sandbox.engine.resources.registry import ENCRYPTION, LABEL, Made, Properties, handles

if TYPE_CHECKING:
    from sandbox.engine.stack import Stack


@handles(
    "AWS::S3::Bucket",
    "BucketName VersioningConfiguration PublicAccessBlockConfiguration",
    inert={
        "Tags": LABEL,
        "BucketEncryption": ENCRYPTION,
        "LifecycleConfiguration": "nothing here expires by itself",
        "OwnershipControls": "there is one account here",
    },
)
def bucket(stack: "Stack", logical_id: str, p: Properties) -> Made:
    name = p.get("BucketName", stack.default_name(logical_id).lower())
    client = stack.aws.client("s3")
    client.create_bucket(Bucket=name)
    if "VersioningConfiguration" in p:
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration=p["VersioningConfiguration"])
    if "PublicAccessBlockConfiguration" in p:
        configuration = p["PublicAccessBlockConfiguration"]
        client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=configuration)
    return Made(name, {"Arn": f"arn:aws:s3:::{name}", "DomainName": f"{name}.s3.amazonaws.com"})


@handles("AWS::S3::BucketPolicy", "Bucket PolicyDocument")
def bucket_policy(stack: "Stack", logical_id: str, p: Properties) -> Made:
    statements = checked(p["PolicyDocument"], logical_id, "AWS::S3::BucketPolicy")
    stack.permissions.add_resource_policy(f"arn:aws:s3:::{p['Bucket']}", statements)
    return Made(stack.default_name(logical_id))
