"""What is said in the recordings of the corpus: sentences of lectures, and drills, in French and English."""

import random
from collections.abc import Iterator

from support.lecture import DID, SENTENCES, WHAT, WHEN, WHO

FRENCH = (
    "Bonjour à tous et bienvenue dans ce cours sur l'histoire de la mesure.",
    "Aujourd'hui, nous allons voir comment les gens se sont mis d'accord sur les longueurs.",
    "Dans les marchés du Moyen Âge, chaque ville avait son propre pied.",
    "Un marchand qui voyageait pendant plusieurs jours rencontrait beaucoup de mesures différentes.",
    "La première mesure commune est venue des bâtisseurs de cathédrales.",
    "Ils gravaient la longueur de leur règle dans la pierre, à côté de la grande porte.",
    "Celui qui doutait de l'honnêteté d'un vendeur pouvait venir comparer.",
    "Pourquoi a-t-il fallu si longtemps pour que tout le pays utilise la même unité ?",
    "La réponse dépend moins de la science que des impôts.",
    "Un seigneur qui recevait du blé préférait un grand panier.",
    "Le même seigneur aimait les petits paniers quand il devait rendre quelque chose.",
    "Une commission a proposé une nouvelle unité, et personne ne l'a aimée au début.",
    "Les astronomes ont passé des années à mesurer la ligne entre la mer et les montagnes.",
    "L'un des savants a commis une petite erreur et l'a gardée secrète toute sa vie.",
    "N'oubliez pas qu'une erreur n'est pas la même chose qu'une faute.",
    "Toute mesure a une incertitude, et un bon scientifique la note.",
    "Passons maintenant à la mesure du temps.",
    "Les marins avaient besoin d'une horloge qui ne craignait ni les tempêtes ni le sel.",
    "Il y avait un prix pour celui qui trouverait la solution, et beaucoup ont essayé de le gagner.",
    "Un charpentier d'un petit village a construit plusieurs horloges.",
    "Sa dernière horloge n'a perdu que quelques secondes pendant un long voyage.",
    "Le chemin de fer a apporté le grand changement, car les trains ont besoin d'une heure commune.",
    "Avant le chemin de fer, chaque ville réglait ses horloges sur le soleil.",
    "Aujourd'hui, les satellites portent des horloges, et votre téléphone les écoute.",
    "Si les horloges étaient fausses, vous ne trouveriez pas la rue que vous cherchez.",
    "Je vous demande de lire le prochain chapitre du livre pour la semaine prochaine.",
    "Avez-vous des questions avant que nous fassions une courte pause ?",
    "Je vous remercie beaucoup pour votre attention.",
)
QUI = (
    "Le vieux charpentier", "La jeune professeure", "Mon voisin", "Le capitaine du bateau", "Le médecin de la vallée",
    "La directrice du musée", "Le maire du village", "Le frère de Marie", "La patronne du magasin", "Le peintre",
    "L'ingénieur de l'usine", "La bibliothécaire", "Le cuisinier du roi", "La femme à la fenêtre", "Le président",
)  # fmt: skip
FAIT = (
    "a décrit", "a réparé", "a oublié", "a acheté", "a vendu", "a mesuré", "a admiré", "a découvert", "a expliqué",
    "a emprunté", "a protégé", "a regardé", "a étudié", "a perdu", "a retrouvé",
)  # fmt: skip
QUOI = (
    "le pont en bois", "la dernière lettre", "la carte de la région", "le moteur cassé", "le panier de pommes",
    "la maison vide", "une très longue histoire", "la machine à laver", "le jardin derrière l'église",
    "un livre sur les oiseaux", "les plans de la tour", "la route du port", "la réponse à cette question",
    "l'eau du puits", "la première photographie",
)  # fmt: skip
QUAND = (
    "avant l'arrivée de l'hiver", "sur le chemin de la gare", "sans dire un mot", "au milieu de la nuit",
    "après une longue discussion", "parce qu'il faisait mauvais", "et puis est rentré à la maison",
    "pendant que les enfants dormaient", "devant tout le monde", "avec l'aide d'un ami", "pendant les vacances",
    "dès que la musique s'est arrêtée", "à la fin de l'été", "sous un arbre au bord de la rivière",
    "à la surprise générale",
)  # fmt: skip
DRILLS = {
    "fr": (
        *("Répétez après moi, s'il vous plaît.", *["Je voudrais un café, s'il vous plaît."] * 6),
        *("Encore une fois, tous ensemble.", *["Où se trouve la gare ?"] * 6),
        *("Très bien, continuons.", *["Non."] * 4, "Silence.", "Écoutez bien maintenant."),
        *("Gauche, droite, gauche, droite, gauche, droite.", "Merci, c'était parfait."),
    ),
    "en": (
        *("Please repeat after me.", *["Where is the railway station?"] * 6),
        *("Once more, all together.", *["I would like a cup of coffee, please."] * 6),
        *("Very good, let us go on.", *["No."] * 4, "Silence.", "Now listen carefully."),
        *("Left, right, left, right, left, right.", "Thank you, that was perfect."),
    ),
}
"""Said so: teachers of languages, and of dancing, repeat themselves."""


def sentences(language: str, chance: random.Random) -> Iterator[str]:
    """Sentences of a language without an end, in an order of their own; none comes twice."""
    prose, parts = (FRENCH, (QUI, FAIT, QUOI, QUAND)) if language == "fr" else (SENTENCES, (WHO, DID, WHAT, WHEN))
    left = chance.sample(prose, len(prose))
    made: set[str] = set()
    while True:
        if left and chance.random() < 0.5:
            yield left.pop()
            continue
        text = " ".join(chance.choice(choices) for choices in parts) + "."
        if text not in made:
            made.add(text)
            yield text
