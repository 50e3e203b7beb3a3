"""Asks Pod what a video is about, so that names are spelled right in its captions.

Only the words travel that may help, not the texts: names, as whoever wrote the texts has spelled them, and keywords.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from podjobs.contract.errors import StepError
from podjobs.contract.plans import Result
from podjobs.contract.ports.pod import PodApi, VideoTopic
from podjobs.contract.reply_to import PodCallback, ReplyTo

WORDS = 40
NAME_CHARS = 40
"""Longer ones are no names."""
NAME_WORDS = 4
"""Likewise."""
SHOUTED = 0.6
"""Of a text's letters: with more capitals, they say nothing."""
_SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\s+[-–—|/]\s+|[«»\"()\[\]\n]")
_WORD = re.compile(r"[^\W\d_][\w'’.+#-]*", re.UNICODE)
_JOINED = re.compile(r"[ \u00a0]")


def tell_topic(reply_to: ReplyTo, pod: PodApi) -> Result:
    """Ask Pod what a video is about; if it does not say, the job goes on without.

    Args:
        reply_to: the video, as Pod names it.
        pod: Pod's interface.

    Returns:
        `words`: names and keywords, the likeliest first.
    """
    if not isinstance(reply_to, PodCallback):
        return Result(log=("Nobody can be asked what the video is about.",))
    try:
        topic = pod.video_topic(reply_to.video_id)
    except StepError as error:
        sentence = f"Pod did not say what the video is about, so names may be misspelled: {error.detail}"
        return Result(log=(sentence,))
    words = choose_words(topic) if topic else ()
    return Result(values={"words": list(words)})


def choose_words(topic: VideoTopic) -> tuple[str, ...]:
    """Choose what may be said and is hard to spell. Pure.

    Args:
        topic: texts of Pod's users, who may have written anything.

    Returns:
        Names and keywords, each once: the owner's, keywords, those of the title, those of the description. Without
        anything but letters, digits and what joins them.
    """
    keywords = (_plain(keyword) for keyword in topic.keywords)
    found = (_plain(topic.owner), *keywords, *find_names(topic.title), *find_names(topic.description))
    chosen: dict[str, str] = {}
    for name in found:
        if 1 < len(name) <= NAME_CHARS and len(name.split()) <= NAME_WORDS:
            chosen.setdefault(name.casefold(), name)
    return tuple(chosen.values())[:WORDS]


def find_names(text: str) -> tuple[str, ...]:
    """Find what is written like a name: with a capital where no sentence begins, or with one inside. Pure."""
    letters = [character for character in text if character.isalpha()]
    if not letters or sum(map(str.isupper, letters)) > SHOUTED * len(letters):
        return ()
    return tuple(name for sentence in _SENTENCE_END.split(text) for name in _names_in(sentence))


def _names_in(sentence: str) -> Iterator[str]:
    words = [(found.start(), found.end(), _trim(found[0])) for found in _WORD.finditer(sentence)]
    run: list[str] = []
    end = 0
    for place, (start, stop, word) in enumerate(words):
        if not (_is_name(word) if place else _has_inner_capital(word)):
            yield from _joined(run)
            run = []
            continue
        if run and not _JOINED.fullmatch(sentence[end:start]):
            yield from _joined(run)
            run = []
        run.append(word)
        end = stop
    yield from _joined(run)


def _joined(run: Sequence[str]) -> Iterable[str]:
    return (" ".join(run),) if run else ()


def _is_name(word: str) -> bool:
    """Whether a word that begins no sentence is written like a name: «Noether», «d'Alembert», «PostgreSQL»."""
    return word[:1].isupper() or _has_inner_capital(word)


def _has_inner_capital(word: str) -> bool:
    return len(word) > 1 and any(map(str.isupper, word[1:]))


def _plain(text: str) -> str:
    return " ".join(_trim(found[0]) for found in _WORD.finditer(text))


def _trim(word: str) -> str:
    """A word without the marks at its end, nor the article that French ties to it: «l'ENS»."""
    word = word.rstrip("'’.-")
    article, mark, name = word.replace("’", "'").partition("'")
    return name if mark and article.lower() in {"l", "d", "qu", "s", "j", "n", "c", "m", "t"} and name else word
