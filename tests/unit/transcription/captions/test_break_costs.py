"""Where a break disturbs how much."""

import pytest

from podjobs.transcription.captions.break_costs import (
    ANYWHERE,
    CLAUSE,
    CONJUNCTION,
    LEANING,
    NAME,
    NEVER,
    PAUSE_FACTOR,
    PHRASE,
    PREPOSITION,
    SENTENCE,
    STRONG,
    weigh_breaks,
)


def weigh(text, language, pause_s=0.0):
    """The cost at the bar in a text."""
    before, after = (part.strip(" ").split(" ") for part in text.split("|"))
    costs = weigh_breaks([*before, *after], [pause_s] * len([*before, *after]), language)
    return costs[len(before)]


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("la fin. | Ensuite", SENTENCE),
        ("vraiment\u202f? | Oui", SENTENCE),
        ("«\u00a0la fin.\u00a0» | Ensuite", SENTENCE),
        ("la loi de 1905. | La suite", SENTENCE),
        ("euh… | je crois", CLAUSE),
        ("les livres, etc. | dans la salle", CLAUSE),
        ("le cours\u202f; | ensuite", STRONG),
        ("le cours, | puis", CLAUSE),
        ("le cours | et la suite", CONJUNCTION),
        ("le livre | qu’il lit", CONJUNCTION),
        ("pour nous | et pour eux", CONJUNCTION),
        ("un cours | dans la salle", PREPOSITION),
        ("la salle | du cours", PHRASE),
        ("il regarde | une étude", PHRASE),
        ("une étude | générale", ANYWHERE),
        ("dans la | salle", LEANING),
        ("une étude d’une | salle", LEANING),
        ("parce | que c’est", LEANING),
        ("qu’est-ce | que c’est", LEANING),
        ("il ne veut | pas venir", LEANING),
        ("les 12 | chapitres", LEANING),
        ("Victor | Hugo", NAME),
        ("Charles | de Gaulle", NAME),
        ("la vitamine C. | Elle est", SENTENCE),
        ("en 50 av. J.-C. | Les Romains", SENTENCE),
        ("le livre de J. | Elle", SENTENCE),
        ("le 5 mai | 1789, à", NAME),
        ("dans l’exercice | 5.", NAME),
        ("on a | 12 chapitres", LEANING),
        ("une autre | adresse", LEANING),
        ("plus faible que celle | du processeur", LEANING),
        ("soit x | = y + 1", NAME),
        ("soit x = | y + 1", LEANING),
        ("soit 2x | - 5", NAME),
        ("soit 2x - | 5", LEANING),
        ("un mot - | une incise", CLAUSE),
        ("le professeur | de mathématiques", PHRASE),
    ],
)
def test_weigh_breaks_french_ranks_phrases(text, cost):
    assert weigh(text, "fr") == cost


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("the end. | Then", SENTENCE),
        ("the answer is no. | Then", SENTENCE),
        ("the paper, e.g. | for", LEANING),
        ("from 9 a.m. | onwards", LEANING),
        ("the course | because it", CONJUNCTION),
        ("we saw | that it", CONJUNCTION),
        ("a look | at the paper", PREPOSITION),
        ("the page | of the book", PHRASE),
        ("a lot | of books", LEANING),
        ("trade | off", LEANING),
        ("in the | room", LEANING),
        ("at 9 a.m. | We", SENTENCE),
        ("on the U.S. | The", SENTENCE),
        ("e.g. | The", LEANING),
    ],
)
def test_weigh_breaks_english_ranks_phrases(text, cost):
    assert weigh(text, "en") == cost


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("la fin | !", "en"),
        ("la fin | »", "en"),
        ("هي الخوارزمية | ؟", "ar"),
        ("« | la fin", "fr"),
        ("M. | Dupont", "fr"),
        ("madame | Curie", "fr"),
        ("Dr. | Smith", "en"),
        ("J. R. R. | Tolkien", "en"),
        ("général de | Gaulle", "fr"),
        ("Jean de | La Fontaine", "fr"),
        ("Jean de | la Fontaine", "fr"),
        ("Vincent van | Gogh", "en"),
        ("Ludwig van | Beethoven", "de"),
        ("p. | ex.", "fr"),
        ("z. | B. hier", "de"),
        ("la page | 12", "fr"),
        ("cf. fig. | 3", "fr"),
        ("soit 3 | 000 euros", "en"),
        ("about 10 | %", "en"),
        ("about 10 | km away", "en"),
        ("à 14 | h 30", "fr"),
        ("at 2:30 | p.m. today", "en"),
        ("at 2:30 | PM", "en"),
        ("à 14 h | 30", "fr"),
        ("Mme | de Staël", "fr"),
        ("Mme | de La Fayette", "fr"),
        ("Mme | de la Fayette", "fr"),
        ("J. | Le Goff", "fr"),
        ("Prof. | van der Waals", "en"),
        ("z. B. | Sie", "de"),
        ("dell’ | arte", "it"),
        ("使用 | 。", "zh"),
        ("i | Phone", "zh"),
    ],
)
def test_weigh_breaks_what_belongs_together_is_never_parted(text, language):
    assert weigh(text, language) == NEVER


@pytest.mark.parametrize(("text", "cost"), [("am 3. | Oktober", LEANING), ("der alte | Mann", ANYWHERE)])
def test_weigh_breaks_german_ordinals_and_capitals_are_neither_ends_nor_names(text, cost):
    assert weigh(text, "de") == cost


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("歴史 | について", LEANING),
        ("コンピューター | の", LEANING),
        ("コンピューターの | 歴史", PREPOSITION),
        ("について | 話", PREPOSITION),
        ("思い | ます", NAME),
        ("歴 | 史", NAME),
        ("です。 | 今日", SENTENCE),
    ],
)
def test_weigh_breaks_japanese_particles_stay_with_their_word(text, cost):
    assert weigh(text, "ja") == cost


def test_weigh_breaks_a_dash_that_opens_speech_stays_with_it():
    assert weigh_breaks(["Oui.", "–", "Non."], [0, 0, 0], "fr") == [SENTENCE, SENTENCE, NEVER]
    assert weigh_breaks(["mot", "–", "incise", "–", "suite"], [0] * 5, "fr") == [
        SENTENCE,
        LEANING,
        CLAUSE,
        LEANING,
        CLAUSE,
    ]


@pytest.mark.parametrize(
    ("text", "pause_s", "cost"),
    [
        ("une étude | générale", 0.2, ANYWHERE),
        ("une étude | générale", 0.5, ANYWHERE * PAUSE_FACTOR),
        ("une étude | générale", 5, ANYWHERE * PAUSE_FACTOR),
        ("la fin. | Ensuite", 5, SENTENCE),
        # Hesitation behind an article: no better than anywhere.
        ("dans la | salle", 5, ANYWHERE),
        ("p. | ex.", 5, NEVER),
    ],
)
def test_weigh_breaks_a_pause_makes_a_break_better(text, pause_s, cost):
    assert weigh(text, "fr", pause_s) == pytest.approx(cost)


def test_weigh_breaks_full_pause_ranks_between_comma_and_conjunction():
    assert CLAUSE < ANYWHERE * PAUSE_FACTOR < CONJUNCTION < PREPOSITION < PHRASE < ANYWHERE < NAME < LEANING < NEVER
