"""Kinds of failures, as far as they make a difference to the person who has uploaded a video."""

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a job has failed; travels in a problem, and chooses the sentence of failure_sentences.py."""

    # the file
    EMPTY = "empty"
    NO_MEDIA = "no_media"
    """It is a picture, a text or something else that is neither video nor sound."""
    UNREADABLE = "unreadable"
    """It cannot be told from a damaged one."""
    DAMAGED = "damaged"
    FORMAT = "format"
    """Its container or codec is not accepted."""
    ENCRYPTED = "encrypted"
    TOO_LONG = "too_long"
    TOO_LARGE = "too_large"
    """Its picture, or the number of its streams."""
    NO_SOUND = "no_sound"
    SOURCE_GONE = "source_gone"

    # what was requested
    CUT = "cut"
    DRESSING = "dressing"
    """All of it, or nobody knows which part of it."""
    WATERMARK = "watermark"
    OPENING_CREDITS = "opening_credits"
    ENDING_CREDITS = "ending_credits"
    LANGUAGE = "language"
    """The language is not known, or cannot be found out."""
    CANCELLED = "cancelled"

    # what administrators have to look at
    NO_MODEL = "no_model"
    """There is none for the language, or it cannot be used."""
    SERVICE = "service"
    """Storage, a machine, Pod or a setting: nothing is wrong with the file."""
    OTHER = "other"
    """Nobody knows whether it is the file."""
