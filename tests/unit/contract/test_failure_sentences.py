"""What people are told when a job has failed."""

import re

import pytest

from podjobs.contract.errors import (
    InvalidRequestError,
    NotNowError,
    OperatorNeededError,
    PermanentError,
    Problem,
    RetryableError,
    SourceGoneError,
)
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.failure_sentences import kind_of, tell_details, tell_failure
from podjobs.contract.workflows import WORKFLOWS

TECHNICAL = re.compile(r"argv|exit|status|stderr|[A-Z]{3,}_|ffmpeg|\b[45]\d\d\b", re.IGNORECASE)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("kind", FailureKind)
@pytest.mark.parametrize("job_type", [*WORKFLOWS, "of another version"])
def test_every_kind_is_told_in_whole_sentences_without_technical_words(kind, job_type, language):
    said = tell_failure(Problem.of(PermanentError("Why.", kind=kind)), job_type, language)
    assert re.match(r"[A-Z].+[a-zé)]\.$", said)
    assert not TECHNICAL.search(said)
    assert ("\N{NO-BREAK SPACE}:" in said) == (language == "fr")
    assert len(said) < 330  # of the 1,000 characters that Pod's log shows


@pytest.mark.parametrize("language", ["en", "fr"])
def test_kinds_are_told_apart(language):
    said = {tell_failure(Problem.of(PermanentError("Why.", kind=kind)), "encoding", language) for kind in FailureKind}
    assert len(said) == len(FailureKind)


@pytest.mark.parametrize(
    ("kind", "job_type", "language", "said"),
    [
        (
            "too_long", "encoding", "en",
            "The video could not be encoded: it is longer than this site accepts. Please upload it in several parts.",
        ),
        (
            "no_sound", "transcription", "fr",
            (
                "Les sous-titres n'ont pas pu être créés\N{NO-BREAK SPACE}: on n'y entend aucun son, il n'y a donc "
                "rien à transcrire."
            ),
        ),
        ("cancelled", "transcription", "en", "The subtitles could not be made: an administrator has cancelled it."),
    ],
)  # fmt: skip
def test_failure_is_told(kind, job_type, language, said):
    problem = Problem(title="The job cannot be done.", status=422, detail="Why.", kind=kind)
    assert tell_failure(problem, job_type, language) == said


def test_details_follow_in_english():
    problem = Problem(title="The job cannot be done.", status=422, detail="ffmpeg failed.")
    assert tell_details(problem, "fr") == "Détails\N{NO-BREAK SPACE}: The job cannot be done. ffmpeg failed."


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermanentError("ffmpeg failed with exit status 1."), FailureKind.OTHER),
        (RetryableError("The storage is away."), FailureKind.SERVICE),
        (NotNowError("Memory is short."), FailureKind.SERVICE),
        (OperatorNeededError("The token is wrong."), FailureKind.SERVICE),
        (InvalidRequestError("The path is outside Pod's media root."), FailureKind.SERVICE),
        (SourceGoneError("There is no such file."), FailureKind.SOURCE_GONE),
        (InvalidRequestError("The cut starts after the end.", kind=FailureKind.CUT), FailureKind.CUT),
    ],
)
def test_kind_follows_from_the_error_unless_it_says_more(error, kind):
    assert kind_of(Problem.of(error)) is kind


def test_kind_of_another_version_is_not_taken_at_its_word():
    problem = Problem(title="The job cannot be done.", status=422, detail="Why.", kind="haunted")
    assert kind_of(problem) is FailureKind.OTHER


def test_problem_of_another_version_has_no_kind():
    old = '{"type": "about:blank", "title": "The job cannot be done.", "status": 422, "detail": "Why.", "context": {}}'
    assert Problem.model_validate_json(old).kind == ""
