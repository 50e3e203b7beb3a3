"""Break costs: where text may be broken, and how much a break there disturbs the reader. Pure.

Subtitlers break after a sentence, after a clause, at a pause, before a conjunction, before a preposition, anywhere, in
this order; reluctantly after a word that leans on the next one; never within a number, a name with its title or
particle, or an elided word, nor before punctuation that belongs to the previous word.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from podjobs.transcription.captions.vocabulary import (
    ABBREVIATIONS,
    HOURS,
    NUMBERED,
    PARTICLES,
    SHORT_PAIRS,
    SPACELESS,
    TITLES,
    UNITS,
    VOCABULARIES,
    Vocabulary,
)

SENTENCE = 0.0
STRONG = 0.25
"""After ; and :"""
CLAUSE = 0.4
CONJUNCTION = 0.7
PREPOSITION = 0.85
PHRASE = 1.1
"""Before an article, a pronoun or an auxiliary verb, and before a genitive."""
ANYWHERE = 1.3
NAME = 1.6
"""Between the words of a name."""
LEANING = 2.3
NEVER = float("inf")

PAUSE_FROM_S, PAUSE_TO_S = 0.2, 0.5
"""Shorter pauses have no effect, longer ones no more than this."""
PAUSE_FACTOR = 0.5
"""Remaining share of the cost at a full pause, which thus ranks between a comma and a conjunction."""

_OPENERS = "«([{“‘¿¡§#「『（【《〈"  # noqa: RUF001 - signs of many writing systems
_CLOSERS = "»)]}”’」』）】》〉\"'"  # noqa: RUF001 - signs of many writing systems
_CLINGING = ";:!?»%‰€)]}”,.…؟،؛۔।、。，．！？；：）」』】》〉ー・々ゝっゃゅょッャュョ"  # noqa: RUF001 - signs of many writing systems
_SENTENCE_SIGNS = ".!?…。！？؟।۔።"  # noqa: RUF001 - signs of many writing systems
_CLAUSE_SIGNS = ",–—、，،"  # noqa: RUF001 - signs of many writing systems
_STRONG_SIGNS = ";:；：؛"  # noqa: RUF001 - signs of many writing systems
_SPACES = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_GENITIVES = frozenset({"de", "d'", "du", "des", "of", "del", "di", "della", "do", "da"})
_ACRONYM = re.compile(r"(?:[^\W\d_]\.-?)+")
_NUMBER = re.compile(rf"[-+]?\d[\d.,:/{_SPACES}]*")
_OPERATOR = re.compile(r"[-–—−+*/=<>×÷±≤≥≠≈→]|==|!=|<=|>=|&&|\|\|")
"""Of a formula."""
_OPERAND = re.compile(r"[(\[]*[-+−]?(?:\d\S*|\w[²³)\],;.]*|\w[([]\S*)")
"""A number, a letter or a function's value."""
_SHORT_TITLE_CHARS = 3


class Token(NamedTuple):
    """A word as the rules see it."""

    text: str
    key: str
    """In lower case, without the punctuation around it but with its full stops."""
    head: str
    """The elided word before it, with the apostrophe: `d'`, or nothing."""
    tail: str
    """The rest."""
    sign: str
    """The punctuation mark at its end, or nothing."""
    capital: bool
    lower: bool


def weigh_breaks(texts: Sequence[str], pauses_s: Sequence[float], language: str) -> list[float]:
    """Weigh how much a break before each word disturbs.

    Args:
        texts: the words, trimmed and typeset.
        pauses_s: silence before each word, seconds; the first one is ignored.
        language: ISO 639-1; without a vocabulary for it, only punctuation, numbers and pauses count.

    Returns:
        A cost for each word: SENTENCE (0) to LEANING, less at a pause, or NEVER. The first word's is SENTENCE.
    """
    tokens = [read_token(text) for text in texts]
    vocabulary = VOCABULARIES.get(language, Vocabulary())
    spaceless = language in SPACELESS
    costs: list[float] = []
    for index, after in enumerate(tokens):
        if index == 0:
            costs.append(SENTENCE)
            continue
        before = tokens[index - 1]
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if _is_operator(tokens, index - 1):
            cost = LEANING
        elif _is_operator(tokens, index):
            cost = NAME
        elif before.text in "-–—":
            # At the beginning of a sentence a dash marks another speaker; within one it is like a comma.
            cost = NEVER if costs[-1] == SENTENCE else CLAUSE
        elif _belong_together(before, after, following, vocabulary) or (spaceless and _is_latin(before, after)):
            cost = NEVER
        else:
            cost = _weigh(before, after, following, vocabulary)
        # Speakers often hesitate after an article: that does not end a phrase.
        costs.append(max(cost * _pause_factor(pauses_s[index]), min(cost, ANYWHERE) if cost > ANYWHERE else 0.0))
    return costs


def read_token(text: str) -> Token:
    """Read what the rules need to know of a word."""
    bare = text.rstrip(_CLOSERS + _SPACES)
    key = text.casefold().replace("’", "'").lstrip(f"\"'-–—{_OPENERS}{_SPACES}").rstrip(f'",;:!?…»)]}}”{_SPACES}')
    head, apostrophe, tail = key.partition("'")
    first = text.lstrip(f"\"'’-–—{_OPENERS}{_SPACES}")[:1]
    # «l'Europe» is a name though it begins with a small letter.
    capital = first.isupper() or (bool(tail) and text[-len(tail) :][:1].isupper())
    return Token(
        text=text,
        key=key,
        head=head + apostrophe if tail else "",
        tail=tail or key,
        sign=bare[-1:] if bare[-1:] in _SENTENCE_SIGNS + _CLAUSE_SIGNS + _STRONG_SIGNS else "",
        capital=capital,
        lower=first.islower(),
    )


def _is_operator(tokens: Sequence[Token], index: int) -> bool:
    """Whether a word is an operator of a formula; a dash is one only between short operands: «2x - 5»."""
    sign = tokens[index].text
    if not _OPERATOR.fullmatch(sign) or not 0 < index < len(tokens) - 1:
        return False
    return sign not in "-–—" or all(_OPERAND.fullmatch(tokens[place].text) for place in (index - 1, index + 1))


def _pause_factor(pause_s: float) -> float:
    share = min(max((pause_s - PAUSE_FROM_S) / (PAUSE_TO_S - PAUSE_FROM_S), 0.0), 1.0)
    return 1.0 - (1.0 - PAUSE_FACTOR) * share


def _is_latin(before: Token, after: Token) -> bool:
    return all(sign.isascii() and sign.isalnum() for sign in (before.text[-1:], after.text[:1]))


def _belong_together(before: Token, after: Token, following: Token | None, vocabulary: Vocabulary) -> bool:
    """Whether no break may separate two words."""
    first = after.text[:1]
    if first in _CLINGING and (first not in ".…" or not re.search(r"\w", after.text)):
        return True
    if before.text[-1:] in _OPENERS or (vocabulary.elides and re.search(r"\w['’]$", before.text)):
        return True
    if before.sign and before.sign != ".":
        return False
    numbered = before.key in NUMBERED or before.key in HOURS
    if f"{before.key} {after.key}" in SHORT_PAIRS or (numbered and after.text[:1].isdigit()):
        return True
    if _NUMBER.fullmatch(before.key) and not before.sign:
        return after.tail.rstrip(".") in UNITS or _parts_of_number(before.key, after.key)
    return not _opens_sentence(before, after, vocabulary) and _part_of_name(before, after, following)


def _parts_of_number(before: str, after: str) -> bool:
    return bool(re.search(rf"(?:^|[{_SPACES}])\d{{1,3}}$", before) and re.match(r"\d{3}(?!\d)", after))


def _opens_sentence(before: Token, after: Token, vocabulary: Vocabulary) -> bool:
    """Whether a small word with a capital shows that an abbreviation ended a sentence: «le plan B. Elle».

    Not after abbreviations that never end one («e.g.»), nor where the word may be part of a name («J. Le Goff»).
    """
    initials = _ACRONYM.fullmatch(before.key) and (before.capital or before.key not in ABBREVIATIONS)
    small = {after.key, after.head} & (vocabulary.leaning | vocabulary.conjunctions | vocabulary.prepositions)
    title = before.key in TITLES or vocabulary.capitalised_nouns
    return bool(initials and after.capital and small and not small & PARTICLES and not title)


def _part_of_name(before: Token, after: Token, following: Token | None) -> bool:
    """Whether a title, an initial or a particle comes before the rest of a name."""
    particle = before.key in PARTICLES or before.tail in PARTICLES
    title = before.key in TITLES and (before.capital or len(before.key) > _SHORT_TITLE_CHARS)
    initial = before.capital and _ACRONYM.fullmatch(before.key) is not None
    if after.key in PARTICLES and following is not None and not after.capital:
        # «Mme de la Fayette», but «le professeur de mathématiques»
        titled = before.capital and (title or initial)
        return (titled and following.key in PARTICLES) or ((titled or particle) and following.capital)
    return after.capital and (initial or title or (particle and not before.sign))


def _weigh(before: Token, after: Token, following: Token | None, vocabulary: Vocabulary) -> float:
    """The cost of a break that is allowed, regardless of the pause."""
    ordinal = vocabulary.ordinal_point and re.fullmatch(r"\d+\.", before.key)
    abbreviated = before.sign == "." and (before.key in ABBREVIATIONS or ordinal or _ACRONYM.fullmatch(before.key))
    if abbreviated and _opens_sentence(before, after, vocabulary):
        return SENTENCE
    if before.sign and not abbreviated:
        if before.sign in _SENTENCE_SIGNS:
            return CLAUSE if after.lower else SENTENCE
        return STRONG if before.sign in _STRONG_SIGNS else CLAUSE
    if abbreviated:
        return LEANING
    if vocabulary.kana:
        return _weigh_kana(before.text[-1:], after.text[:1])
    # A number at the end belongs to what it numbers or dates: «en mai 1789,» «l'exercice 5.»
    number = NAME if _NUMBER.fullmatch(after.key) and (after.sign or following is None) else 0.0
    return max(number, _weigh_leaning(before, after, vocabulary), _weigh_name(before, after, following, vocabulary))


def _weigh_kana(before: str, after: str) -> float:
    """In Japanese, by the scripts on both sides: «歴史 | について» is bad, «歴史について | 話» is good."""
    if _script(after) == "HIRAGANA":
        return NAME if _script(before) == "HIRAGANA" else LEANING
    return PREPOSITION if _script(before) == "HIRAGANA" else NAME


def _script(character: str) -> str:
    """The first word of a character's name: HIRAGANA, KATAKANA, CJK, DIGIT and so on."""
    return unicodedata.name(character, "").partition(" ")[0]


def _weigh_leaning(before: Token, after: Token, vocabulary: Vocabulary) -> float:
    """By the small words on both sides."""
    ends, begins = {before.key, before.tail}, {after.key, after.head}
    if after.text in "-–—" or vocabulary.compounds.intersection(f"{end} {begin}" for end in ends for begin in begins):
        return LEANING
    conjunction = begins & vocabulary.conjunctions
    leans = before.tail in vocabulary.leaning and not conjunction
    opens = before.tail in vocabulary.conjunctions or before.tail in vocabulary.prepositions
    if leans or opens or after.key in vocabulary.trailing or _NUMBER.fullmatch(before.key):
        return LEANING
    if conjunction:
        return CONJUNCTION
    if begins & vocabulary.prepositions:
        return PHRASE if begins & _GENITIVES else PREPOSITION
    return PHRASE if begins & vocabulary.leaning else ANYWHERE


def _weigh_name(before: Token, after: Token, following: Token | None, vocabulary: Vocabulary) -> float:
    """By capitals: a first name and what follows it."""
    if not before.capital or vocabulary.capitalised_nouns:
        return 0.0
    particle = after.key in PARTICLES and following is not None and following.capital
    return NAME if after.capital or particle else 0.0
