"""Talks full of names, and what Pod says about such a video: names that are said, and others that are not. Pure."""

import re

from podjobs.contract.ports.pod import VideoTopic

SAID = {
    "fr": (
        "Bonjour, je m'appelle Loïc Kerdraon et je vous parle d'Esup-Portail.",
        "La conjecture de Poincaré a été démontrée par Grigori Perelman.",
        "Évariste Galois est mort jeune, et Joseph Liouville a publié ses travaux.",
        "Nous avons installé Kubernetes et PostgreSQL sur les serveurs de Villetaneuse.",
        "Alexandre Grothendieck a refondé la géométrie algébrique.",
        "Les équations de Navier-Stokes décrivent l'écoulement d'un fluide.",
        "L'algorithme de Dijkstra trouve le chemin le plus court.",
        "À Noirmoutier, Sophie Germain n'est jamais venue.",
        "Le séminaire Bourbaki se réunit à Paris.",
        "Le théorème de Noether relie les symétries et les lois de conservation.",
        "Comme Loïc Kerdraon l'a dit, Grothendieck lisait Galois.",
        "Nous retrouvons Perelman, Poincaré et Noether la semaine prochaine.",
    ),
    "en": (
        "Hello, my name is Niamh Gallagher, and I will talk about Esup-Portail.",
        "The Poincaré conjecture was proved by Grigori Perelman.",
        "We have installed Kubernetes and PostgreSQL on our servers.",
        "The algorithm of Dijkstra finds the shortest path.",
        "Alexander Grothendieck lived in a village for many years.",
        "The theorem of Noether connects symmetries and conservation laws.",
        "The Navier-Stokes equations describe the flow of a fluid.",
        "Kubernetes restarts what has failed, and PostgreSQL keeps the data.",
        "As Niamh Gallagher said, Perelman refused the prize.",
        "Next week we return to Dijkstra, Noether and Grothendieck.",
    ),
}
NAMES = {
    "fr": (
        "Kerdraon", "Esup-Portail", "Poincaré", "Perelman", "Galois", "Liouville", "Kubernetes", "PostgreSQL",
        "Villetaneuse", "Grothendieck", "Navier-Stokes", "Dijkstra", "Noirmoutier", "Sophie Germain", "Bourbaki",
        "Noether",
    ),
    "en": (
        "Gallagher", "Esup-Portail", "Poincaré", "Perelman", "Kubernetes", "PostgreSQL", "Dijkstra", "Grothendieck",
        "Noether", "Navier-Stokes",
    ),
}  # fmt: skip
"""That are said."""
DECOYS = ("Ramanujan", "Tchebychev", "Wittgenstein", "Ouagadougou", "Ségolène Vercingétorix", "Elasticsearch")
"""That Pod names and nobody says."""
TITLES = {
    "fr": "De Galois à Perelman : les maths et le libre avec Esup-Portail",
    "en": "From Poincaré to Perelman: mathematics and free software with Esup-Portail",
}
OWNERS = {"fr": "Loïc Kerdraon", "en": "Niamh Gallagher"}


KEYWORDS = ("Kubernetes", "PostgreSQL", "Ségolène Vercingétorix", "Tchebychev")


def topic_of(language: str) -> VideoTopic:
    """What Pod says about a talk in a language; of several languages, that in French."""
    known = language if language in SAID else "fr"
    return VideoTopic(TITLES[known], _describe(known), OWNERS[known], KEYWORDS)


def _describe(language: str) -> str:
    """Names of both kinds in prose."""
    if language == "fr":
        return (
            "Un cours sur Poincaré, Liouville, Grothendieck, Sophie Germain, Noether, Bourbaki et Ramanujan. "
            "Nous parlons aussi des équations de Navier-Stokes, de Tchebychev, de Dijkstra, de Kubernetes, de "
            "PostgreSQL et d'Elasticsearch. Filmé à Villetaneuse, puis à Noirmoutier et à Ouagadougou."
        )
    return (
        "A course on Grothendieck, Noether, Ramanujan and Wittgenstein. We also talk about the Navier-Stokes "
        "equations, about Dijkstra, Kubernetes, PostgreSQL and Elasticsearch. Filmed in Ouagadougou."
    )


def count_names(text: str, names: tuple[str, ...]) -> int:
    """How often names are written exactly so."""
    return sum(len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", text.replace("\u2011", "-"))) for name in names)
