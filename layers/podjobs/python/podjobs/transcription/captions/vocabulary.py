"""Vocabulary: the small words of a language that show where a phrase begins and what belongs together. Pure data.

In lower case, with a typewriter's apostrophe. Contractions («l'», «qu'») include their apostrophe.
"""

from typing import NamedTuple


class Vocabulary(NamedTuple):
    """Words of one language; an unknown one has none."""

    conjunctions: frozenset[str] = frozenset()
    """And relative pronouns: they begin a clause."""
    prepositions: frozenset[str] = frozenset()
    leaning: frozenset[str] = frozenset()
    """Articles, pronouns, auxiliary verbs: they belong to the next word."""
    trailing: frozenset[str] = frozenset()
    """Words that belong to the previous word: «ne veut pas»."""
    compounds: frozenset[str] = frozenset()
    """Pairs read as one: «parce que»."""
    capitalised_nouns: bool = False
    """German: a capital is not a sign of a name."""
    ordinal_point: bool = False
    """German: «am 3. Oktober» does not end a sentence."""
    kana: bool = False
    """Japanese: endings and particles are in hiragana and follow what they belong to."""
    elides: bool = False
    """A word that ends in an apostrophe is part of the next one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> frozenset[str]:
    return frozenset(pair.strip() for pair in text.split(","))


FRENCH = Vocabulary(
    conjunctions=_words(
        "et ou mais donc or car que qu' qui dont où quand lorsque lorsqu' puisque puisqu' quoique quoiqu' parce "
        "comme si afin tandis alors ainsi sinon soit ni lequel laquelle lesquels lesquelles auquel duquel"
    ),
    prepositions=_words(
        "à de d' du des au aux dans en par pour sur avec sans chez vers sous depuis pendant entre contre avant "
        "après devant derrière parmi selon malgré envers dès jusque jusqu' durant grâce lors près hors via sauf "
        "voici voilà"
    ),
    leaning=_words(
        "le la l' les un une ce c' cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leur leurs "
        "quel quelle quels quelles quelque quelques chaque plusieurs tout toute tous toutes aucun aucune certains "
        "certaines autre celui celle ceux celles "
        "je j' tu il elle on nous vous ils elles ne n' se s' me m' te t' y très trop plus moins assez "
        "aussi si bien est sont était étaient sera seront ai as a avons avez ont avait avaient aura suis es "
        "sommes êtes été être avoir peut peuvent peux pouvons pouvez va vont vais allons allez doit doivent faut "
        "fait vient veut"
    ),
    trailing=_words("pas plus jamais rien point guère aussi là même"),
    compounds=_pairs(
        "est que, est qu', est qui, "
        "parce que, parce qu', afin que, afin de, alors que, tandis que, ainsi que, bien que, pour que, sans que, "
        "dès que, avant que, avant de, après que, pendant que, depuis que, lors de, lors du, est-ce que, est-ce "
        "qu', tant que, autant que, plus que, moins que, aussi que, tel que, telle que, tels que, ce que, ce qui, "
        "ce qu', ce dont, celui qui, celle qui, ceux qui, celui de, celle de, il y, y a, y avait, près de, à "
        "partir, partir de, partir du, grâce à, grâce au, grâce aux, face à, quant à, jusqu'à ce, beaucoup de, "
        "peu de, plus de, moins de, plein de, peut être, c'est à, c'est-à-dire que, par exemple, par rapport, "
        "rapport à, rapport au, en effet, en fait, bien sûr, tout à, à fait, du coup, au moins, d'une "
        "part, n'est pas"
    ),
    elides=True,
)
ENGLISH = Vocabulary(
    conjunctions=_words(
        "and or but so because that which who whom whose where when while if although though unless until since "
        "whereas whether how why what than as nor yet before after"
    ),
    prepositions=_words(
        "of in on at by for with from to into onto about over under between through during without within against "
        "across along around behind below beneath beside beyond despite per toward towards upon via among"
    ),
    leaning=_words(
        "the a an this that these those my your his her its our their every each some any no all both several "
        "many i you he she it we they i'm you're he's she's it's we're they're i've you've we've they've i'll "
        "you'll we'll there there's here's let's who's what's is are was were be been being am has have had do "
        "does did don't doesn't didn't isn't aren't can can't could would should will won't may might must shall "
        "not very too more most quite such just only also really even still"
    ),
    trailing=_words("not too either though ago off up out down me him them us"),
    compounds=_pairs(
        "as well, well as, such as, so that, so as, in order, order to, because of, out of, kind of, sort of, lot "
        "of, lots of, due to, instead of, according to, rather than, more than, less than, going to, have to, has "
        "to, had to, want to, need to, used to, able to, as if, even if, even though, each other, one another, at "
        "least, of course, for example, for instance, in fact, in general, number of, part of, one of, some of, "
        "most of, all of, many of, up to, next to, close to, up with, is that, in which, of which, to which"
    ),
)
GERMAN = Vocabulary(
    conjunctions=_words(
        "und oder aber denn sondern dass weil wenn als ob obwohl damit während bevor nachdem sobald falls sowie "
        "bis wie wo wer was welche welcher welches"
    ),
    prepositions=_words(
        "in im ins an am ans auf aus bei beim mit nach von vom zu zum zur für über unter vor hinter neben "
        "zwischen durch gegen ohne um seit trotz wegen"
    ),
    leaning=_words(
        "der die das den dem des ein eine einen einem einer eines kein keine mein meine dein sein seine ihr ihre "
        "unser unsere euer dieser diese dieses jede jeder jedes ich du er sie es wir man ist sind war waren wird "
        "werden hat haben kann können muss müssen soll sehr zu nicht auch noch nur so"
    ),
    compounds=_pairs("so dass, zum beispiel, um zu, sowohl als, als auch, ohne dass, ein paar, vor allem"),
    capitalised_nouns=True,
    ordinal_point=True,
)
SPANISH = Vocabulary(
    conjunctions=_words("y e o u pero sino que porque cuando si como donde mientras aunque pues quien cual cuyo ni"),
    prepositions=_words("a al de del en con por para sin sobre entre hasta desde hacia según contra durante ante tras"),
    leaning=_words(
        "el la los las un una unos unas lo este esta estos estas ese esa esos esas mi mis tu tus su sus nuestro "
        "nuestra cada todo toda todos todas yo tú él ella nosotros ellos ellas no se me te nos le les muy más tan "
        "es son era está están ha han hay he hemos puede pueden va van"
    ),
    compounds=_pairs("para que, porque no, sin que, a que, lo que, el que, la que, por ejemplo, a partir, antes de"),
)
ITALIAN = Vocabulary(
    conjunctions=_words("e ed o ma che perché quando se come dove mentre quindi poiché oppure cui né anche"),
    prepositions=_words(
        "a ad al allo alla ai agli alle di d' del dello della dei degli delle da dal dalla in nel nella nei con "
        "su sul sulla per tra fra senza verso dopo prima"
    ),
    leaning=_words(
        "il lo la i gli le l' un uno una un' questo questa questi queste quel quella mio mia tuo suo sua nostro "
        "ogni tutto tutti io tu lui lei noi voi loro non si mi ti ci vi molto più è sono era ha hanno ho abbiamo "
        "può deve"
    ),
    compounds=_pairs("per che, in modo, il che, la quale, il quale, ad esempio, per esempio, prima di, dopo che"),
    elides=True,
)
PORTUGUESE = Vocabulary(
    conjunctions=_words("e ou mas que porque quando se como onde enquanto embora pois quem qual nem"),
    prepositions=_words(
        "a ao aos à às de do da dos das em no na nos nas com por pelo pela para sem sobre entre até desde"
    ),
    leaning=_words(
        "o os as um uma uns umas este esta esse essa isso meu minha seu sua nosso nossa cada todo toda todos eu "
        "tu ele ela nós eles elas não se me te lhe muito mais tão é são era está estão foi tem têm há vai vão "
        "pode podem"
    ),
    compounds=_pairs("para que, o que, a que, por exemplo, a partir, antes de, depois de"),
)
CHINESE = Vocabulary(conjunctions=_words("和 与 或 但 而 及"), trailing=_words("的 了 着 过 吗 呢 吧 们"))
JAPANESE = Vocabulary(kana=True)
VOCABULARIES = {
    "fr": FRENCH, "en": ENGLISH, "de": GERMAN, "es": SPANISH, "it": ITALIAN, "pt": PORTUGUESE, "zh": CHINESE,
    "ja": JAPANESE,
}  # fmt: skip

# With their full stop where they have one; a name follows.
TITLES = _words(
    "m. mm. mme mme. mmes mlle mlles dr dr. drs pr pr. prof prof. me mgr st st. ste saint sainte mr mr. mrs mrs. "
    "ms ms. rev. gen. sen. gov. hon. lt. capt. sgt. herr herrn frau hr. fr. sig. sig.ra dott. sr. sra. srta. ing. "
    "monsieur madame mademoiselle docteur professeur président president doctor professor"
)
# Abbreviations whose full stop does not end a sentence.
ABBREVIATIONS = TITLES | _words(
    "p. pp. e.g. i.e. cf. vs. env. av. apr. éd. ca. z.b. d.h. u.a. bzw. approx. al. op. cit. ibid. inc. ltd. "
    "dept. janv. févr. feb. avr. juil. aug. sept. oct. nov. déc. dec. j.-c. ph.d. tél. tel. resp. ex."
)
# Abbreviations of two words.
SHORT_PAIRS = _pairs("p. ex, p. ex., z. b., d. h., u. a., i. e., e. g., op. cit., et al., av. j.-c., apr. j.-c., s. o.")
# What is followed by a number.
NUMBERED = _words(
    "p. pp. no. nos. n° nº nr. art. chap. fig. vol. tab. éq. eq. § page pages chapitre chapter figure numéro number"
)
PARTICLES = _words(
    "de d' du des la le van von vom zu zur der den dem ten ter te da do dos das di del della dei degli lo y bin "
    "ben ibn al el af av"
)
UNITS = _words(
    "% ‰ € $ £ °c °f ° km kg m cm mm g mg l ml h min s ms go mo ko to gb mb kb tb hz khz mhz ghz v w kw ma nm µm "
    "euros euro dollars millions million milliards milliard billion billions mille thousand hundred pour percent "
    "prozent millionen a.m p.m pm heures heure minutes minute secondes seconde ans degrés degrees"
)
# Between the hours and the minutes of a time.
HOURS = _words("h h. heure heures uhr")
# Written without spaces between words. Source: those that Whisper splits by characters (tokenizer.py).
SPACELESS = frozenset({"zh", "yue", "ja", "th", "lo", "my"})
