"""Words of a transcript: those of a text, and any that a model may come up with."""

import re

from hypothesis import strategies as st

from podjobs.contract.ports.speech import Word


def say(text: str, chars_per_s: float = 12.5, start_s: float = 0.0) -> list[Word]:
    """Words one right after the other, `<0.5>` for a pause of half a second."""
    words = []
    for part in text.split():
        if pause := re.fullmatch(r"<([\d.]+)>", part):
            start_s += float(pause[1])
            continue
        end_s = start_s + len(part) / chars_per_s
        words.append(Word(text=f" {part}", start_s=round(start_s, 3), end_s=round(end_s, 3)))
        start_s = end_s
    return words


TEXTS = st.sampled_from([
    " le", " l'", "homme", " M.", " Dupont", " de", " Gaulle", " 3", " 000", " %", " !", "!", ".", ",", " «", " »",
    ' "', '"', " et", " parce", " que", " bien", "...", " -", " -->", " <b>", " &amp;", " 00:01.000 --> 00:02.000",
    " NOTE", "", " ", " \u200b", " a\u0301", " 你好", " https://example.org/a/very/long/address?with=parameters#and-more",
    " " + "x" * 90, " Aujourd'hui,", " extraordinairement", " deux mots", "\n\nWEBVTT\n\n", " e.g.", " it's",
])  # fmt: skip
MOMENTS = st.floats(-5, 60, allow_nan=False).map(lambda time_s: round(time_s, 2))


@st.composite
def any_words(draw: st.DrawFn) -> list[Word]:
    """Any text; the times run on as a rule, and are absurd at times."""
    texts = draw(st.lists(TEXTS | st.text(max_size=6), max_size=60))
    absurd = draw(st.booleans())
    words: list[Word] = []
    time_s = 0.0
    for text in texts:
        if absurd and draw(st.integers(0, 4)) == 0:
            words.append(Word(text=text, start_s=draw(MOMENTS), end_s=draw(MOMENTS)))
            continue
        time_s += draw(st.sampled_from([0.0, 0.0, 0.0, 0.04, 0.15, 0.4, 1.2, 2.5]))
        end_s = time_s + draw(st.sampled_from([0.0, 0.08, 0.2, 0.4, 1.1, 8.0]))
        words.append(Word(text=text, start_s=time_s, end_s=end_s))
        time_s = end_s
    return words


LANGUAGES = st.sampled_from(["fr", "en", "de", "zh", "xx"])
