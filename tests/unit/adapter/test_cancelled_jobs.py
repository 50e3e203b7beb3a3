"""What whoever requested a job is told when an operator cancels it."""

from adapter.steps.cancellations import REASON_BYTES, Cancellation


def test_reason_is_told_in_one_line_with_one_full_stop():
    told = Cancellation("anna", " wrong\r\nfile. ")
    assert told.problem.detail == "An administrator has cancelled the job. The reason given is: wrong file."
    assert told.arguments["sentence"] == "The job was cancelled by anna. The reason given is: wrong file."


def test_reason_that_is_too_long_is_cut_wherever_it_is_told():
    told = Cancellation("anna", "é" * 100_000)
    for text in (told.problem.detail, told.arguments["sentence"]):
        assert len(text.encode()) < REASON_BYTES + 100
        assert text.endswith("é….")


def test_without_a_reason_none_is_told():
    told = Cancellation("anna", "  ")
    assert told.problem.detail == "An administrator has cancelled the job."
    assert told.arguments["sentence"] == "The job was cancelled by anna."
