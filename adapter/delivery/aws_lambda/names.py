"""Names of Lambda functions, as AWS writes them, in the URLs of functions. Pure.

Source: AWS, «Invoke», parameter FunctionName.
"""

import re
from urllib.parse import urlsplit

NAME_CHARS = 170
"""The longest name that `Invoke` takes, a whole ARN included."""
_ARN = r"arn:aws[a-z-]*:lambda:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):\d{12}:function:"
_PARTIAL_ARN = r"\d{12}:(?:function:)?"
_NAME = re.compile(rf"(?:{_ARN}|{_PARTIAL_ARN})?[A-Za-z0-9_-]{{1,64}}(?::(?:\$LATEST|[A-Za-z0-9_-]{{1,128}}))?")


def check_lambda_url(url: str) -> None:
    """Raise ValueError when a URL does not name a Lambda function."""
    name = function_name(url)
    if urlsplit(url).scheme != "lambda" or len(name) > NAME_CHARS or not _NAME.fullmatch(name):
        raise ValueError(
            "must name a function after lambda:, as in lambda:pod-encoding, lambda:pod-encoding:live (an alias or a "
            "version), or lambda:arn:aws:lambda:eu-west-3:123456789012:function:pod-encoding"
        )


def function_name(url: str) -> str:
    """The name that Lambda is asked for: a function's, with its alias or version, or an ARN."""
    return url.partition(":")[2]


def region_of(name: str) -> str | None:
    """The region that an ARN names; None: it is not an ARN, and AWS's own settings say the region."""
    found = re.match(_ARN, name)
    return found["region"] if found else None
