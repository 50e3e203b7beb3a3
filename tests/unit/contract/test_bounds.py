"""What travels is cut, or refused if it is still too long."""

import pytest
from pydantic import ValidationError

from podjobs.contract.bounds import (
    CONTEXT_BYTES,
    DETAIL_BYTES,
    LOG_BYTES,
    STEP_BYTES,
    cut_log,
    cut_text,
    json_bytes,
)
from podjobs.contract.errors import PermanentError, Problem
from podjobs.contract.plans import Plan, Result, Stage, StepSpec

STAGE = Stage(name="encode", steps=(StepSpec(id="chunk", function="encoding", action="chunk"),))


@pytest.mark.parametrize("text", ["", "short", "exactly 10"])
def test_cut_text_that_fits_is_unchanged(text):
    assert cut_text(text, 10) == text


@pytest.mark.parametrize("text", ["x" * 100, "é" * 100, "🎓" * 100, '"' * 100, "\n" * 100, "a " * 50])
def test_cut_text_fits_and_shows_that_it_was_cut(text):
    cut = cut_text(text, 20)
    assert cut.endswith("…")
    assert cut != "…" or text.isspace()
    assert json_bytes(cut) - 2 <= 20


def test_cut_log_of_many_sentences_says_how_many_are_left_out():
    log = cut_log(["A sentence."] * 10_000)
    assert json_bytes(log) < LOG_BYTES + 100
    assert log[0] == "A sentence."
    assert log[-1] == f"{10_000 - len(log) + 1} more sentences are left out."


@pytest.mark.parametrize("build", [lambda log: Result(log=log), lambda log: Plan(stages=(STAGE,), log=log)])
def test_reply_has_no_longer_log(build):
    assert json_bytes(build(("x" * 5000, "y")).log) < 1100
    assert build(("A.", "B.")).log == ("A.", "B.")


@pytest.mark.parametrize(
    "build", [lambda values: Result(values=values), lambda values: Plan(shared=values, stages=(STAGE,))]
)
def test_reply_whose_values_are_too_long_is_refused(build):
    build({"text": "x" * (STEP_BYTES - 11)})
    with pytest.raises(ValidationError, match=f"takes {STEP_BYTES + 1} bytes, but at most {STEP_BYTES} may travel"):
        build({"text": "x" * (STEP_BYTES - 10)})


def test_problem_of_an_error_with_a_long_command_keeps_its_beginning_and_the_end_of_stderr():
    error = PermanentError(
        "It failed. " * 1000,
        argv=["ffmpeg", *["-filter_complex", "x" * 100_000] * 50],
        exit_status=1,
        stderr="beginning\n" + "é\n" * 100_000 + "end",
        more={"key": "x" * 100_000},
    )
    problem = Problem.of(error)
    assert len(problem.model_dump_json()) < STEP_BYTES / 2
    assert problem.detail.startswith("It failed.")
    assert len(problem.detail) <= DETAIL_BYTES
    assert problem.context["argv"][:2] == ["ffmpeg", "-filter_complex"]
    assert problem.context["argv"][-1] == "…"
    assert problem.context["exit_status"] == 1
    assert problem.context["stderr"].endswith("\nend")
    assert problem.context["stderr"].startswith("…")


def test_problem_of_a_usual_error_is_complete():
    context = {"argv": ["ffmpeg", "-i", "x"], "exit_status": 69, "stderr": "a\nb"}
    problem = Problem.of(PermanentError("It failed.", **context))
    assert (problem.detail, problem.context) == ("It failed.", context)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("a\ud800b", "a?b"),
        (float("nan"), "nan"),
        (10**5000, "0x"),
        ({"a": {1: ("x", None)}}, {"a": {"1": ["x", None]}}),
        ([[[[[[[[]]]]]]]], [[[[[["…"]]]]]]),
        (["x" * 2000, "-i"], ["x" * 997 + "…", "-i"]),
    ],
    ids=["surrogate", "nan", "huge", "keys", "deep", "words"],
)
def test_problem_carries_whatever_an_error_knows_in_a_form_that_can_be_stored(value, kept):
    problem = Problem.of(PermanentError("The word \ud800 is wrong.", value=value))
    assert problem.detail == "The word ? is wrong."
    found = problem.context["value"]
    assert found == kept or (isinstance(kept, str) and found.startswith(kept))
    assert Problem.model_validate_json(problem.model_dump_json()) == problem


def test_problem_of_an_error_with_very_many_facts_keeps_the_first():
    problem = Problem.of(PermanentError("Broken.", **{f"fact_{number}": "x" * 5_000 for number in range(20)}))
    assert [*problem.context] == [f"fact_{number}" for number in range(6)]
    assert json_bytes(problem.context) <= CONTEXT_BYTES
