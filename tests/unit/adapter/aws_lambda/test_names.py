"""How a Lambda function is written in a URL."""

import pytest

from adapter.delivery.aws_lambda.names import check_lambda_url, function_name, region_of

ARN = "arn:aws:lambda:eu-west-3:123456789012:function:pod-encoding"


@pytest.mark.parametrize(
    "name",
    ["pod-encoding", "pod_encoding:live", "pod-encoding:$LATEST", "pod-encoding:7", "123456789012:function:pod", ARN,
     f"{ARN}:live", "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:pod"],
)  # fmt: skip
def test_check_lambda_url_name_as_aws_writes_it_is_accepted(name):
    check_lambda_url(f"lambda:{name}")
    assert function_name(f"lambda:{name}") == name


@pytest.mark.parametrize(
    "url",
    ["lambda:", "lambda://pod-encoding", "lambda:pod encoding", "lambda:pod/encoding", f"lambda:{'n' * 65}",
     "lambda:pod:", "lambda:arn:aws:sqs:eu-west-3:123456789012:pod", "lambda:arn:aws:lambda::123456789012:function:pod",
     "lambda:pod-encoding?x=1", "lambda:pod-encoding\n", f"lambda:{ARN}:{'a' * 128}"],
)  # fmt: skip
def test_check_lambda_url_anything_else_is_refused_with_an_example(url):
    with pytest.raises(ValueError, match="lambda:pod-encoding:live"):
        check_lambda_url(url)


def test_region_of_an_arn_is_the_one_it_names():
    assert region_of(f"{ARN}:live") == "eu-west-3"
    assert region_of("pod-encoding:live") is None
