"""How what a step has used travels beside its answer."""

import pytest

from podjobs.contract.usage import StepAccount, Usage


def test_account_is_a_short_text_without_what_is_not_known():
    account = StepAccount(cpu_s=1.23456, memory_bytes=81_920, media_s=60.0)
    assert account.as_text() == "cpu_s=1.235,memory_bytes=81920,media_s=60.0"
    assert StepAccount.read(account.as_text()) == StepAccount(cpu_s=1.235, memory_bytes=81_920, media_s=60.0)
    assert account.usage == Usage(cpu_s=1.23456, memory_bytes=81_920)


def test_account_of_a_newer_version_is_read():
    assert StepAccount.read("gpu_s=3, cpu_s=2") == StepAccount(cpu_s=2.0)


@pytest.mark.parametrize(
    "text", ["rubbish", "cpu_s=", "cpu_s=-1", "cpu_s=nan", "cpu_s=inf", "memory_bytes=1e300", "cpu_s=1;memory_bytes=2"]
)
def test_rubbish_is_no_account(text):
    with pytest.raises(ValueError):  # noqa: PT011 - pydantic's or ours
        StepAccount.read(text)
