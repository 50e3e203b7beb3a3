"""What people who upload videos are told when a job has failed: what, why, and what they can do. Pure.

Pod shows it in the video's encoding log, and in the message about its captions. The technical sentence, which
administrators need, follows it.
"""

from typing import Literal

from podjobs.contract.errors import SOURCE_GONE, InvalidRequestError, Problem
from podjobs.contract.failure_kinds import FailureKind

Language = Literal["en", "fr"]
LOWEST_SERVER_STATUS = 500

_WHAT: dict[str, dict[str, str]] = {
    "en": {
        "encoding": "The video could not be encoded",
        "studio": "The recording could not be composed",
        "transcription": "The subtitles could not be made",
        "": "The work could not be done",
    },
    "fr": {
        "encoding": "La vidéo n'a pas pu être encodée",
        "studio": "L'enregistrement n'a pas pu être monté",
        "transcription": "Les sous-titres n'ont pas pu être créés",
        "": "Le travail n'a pas pu être effectué",
    },
}
_DETAILS = {"en": "Details:", "fr": "Détails\N{NO-BREAK SPACE}:"}
_COLON = {"en": ":", "fr": "\N{NO-BREAK SPACE}:"}
_WHY: dict[str, dict[FailureKind, str]] = {
    "en": {
        FailureKind.EMPTY: "the file is empty. The upload was probably interrupted: please upload it again.",
        FailureKind.NO_MEDIA: "the file is neither a video nor a sound recording. Please upload another file.",
        FailureKind.UNREADABLE: "the file cannot be read: it is damaged, or neither a video nor a sound recording. "
        "Check that it plays on your computer, and upload it again.",
        FailureKind.DAMAGED: "the file is damaged. Check that it plays from beginning to end on your computer, export "
        "it again if you can, and upload it again.",
        FailureKind.FORMAT: "its format is not accepted. Convert it to MP4 (H.264 and AAC) and upload it again.",
        FailureKind.ENCRYPTED: "the file is copy-protected (DRM). Please upload a copy without protection.",
        FailureKind.TOO_LONG: "it is longer than this site accepts. Please upload it in several parts.",
        FailureKind.TOO_LARGE: "its picture is larger than this site accepts, or it has too many tracks. Convert it to "
        "a smaller size, for instance 1920 × 1080, and upload it again.",
        FailureKind.NO_SOUND: "no sound can be heard in it, so there is nothing to transcribe.",
        FailureKind.SOURCE_GONE: "the uploaded file is no longer there. Please upload it again.",
        FailureKind.CUT: "the chosen beginning and end leave nothing of the video. Please correct the cut.",
        FailureKind.DRESSING: "the watermark or the credits of the chosen dressing cannot be used. Choose another "
        "dressing, or have this one corrected.",
        FailureKind.WATERMARK: "the watermark of the chosen dressing cannot be used. Choose another dressing, or have "
        "the watermark of this one corrected.",
        FailureKind.OPENING_CREDITS: "the opening credits of the chosen dressing cannot be used. Choose another "
        "dressing, or have the opening credits of this one corrected.",
        FailureKind.ENDING_CREDITS: "the ending credits of the chosen dressing cannot be used. Choose another "
        "dressing, or have the ending credits of this one corrected.",
        FailureKind.LANGUAGE: "its language is not known. Please choose the language of the video, and ask for the "
        "subtitles again.",
        FailureKind.CANCELLED: "an administrator has cancelled it.",
        FailureKind.NO_MODEL: "this site cannot transcribe the language yet. Your file is all right: please tell the "
        "administrators of this site.",
        FailureKind.SERVICE: "there was a problem on the site. Your file does not need to be uploaded again: please "
        "tell the administrators of this site.",
        FailureKind.OTHER: "the file could not be processed. Check that it plays from beginning to end, convert it to "
        "MP4 and upload it again; if that does not help, tell the administrators of this site.",
    },
    "fr": {
        FailureKind.EMPTY: "le fichier est vide. Le dépôt a sans doute été interrompu\N{NO-BREAK SPACE}: veuillez "
        "le déposer à nouveau.",
        FailureKind.NO_MEDIA: "le fichier n'est ni une vidéo ni un enregistrement sonore. Veuillez déposer un autre "
        "fichier.",
        FailureKind.UNREADABLE: "le fichier est illisible\N{NO-BREAK SPACE}: il est endommagé, ou n'est ni une vidéo "
        "ni un enregistrement sonore. Vérifiez qu'il se lit sur votre ordinateur, puis déposez-le à nouveau.",
        FailureKind.DAMAGED: "le fichier est endommagé. Vérifiez qu'il se lit du début à la fin sur votre ordinateur, "
        "exportez-le à nouveau si possible, puis déposez-le à nouveau.",
        FailureKind.FORMAT: "son format n'est pas accepté. Convertissez le fichier en MP4 (H.264 et AAC), puis "
        "déposez-le à nouveau.",
        FailureKind.ENCRYPTED: "le fichier est protégé contre la copie (DRM). Veuillez déposer une copie sans "
        "protection.",
        FailureKind.TOO_LONG: "sa durée dépasse celle que ce site accepte. Veuillez déposer la vidéo en plusieurs "
        "parties.",
        FailureKind.TOO_LARGE: "son image est plus grande que ce site ne l'accepte, ou il contient trop de pistes. "
        "Convertissez le fichier à une taille inférieure, par exemple 1920 × 1080, puis déposez-le à nouveau.",
        FailureKind.NO_SOUND: "on n'y entend aucun son, il n'y a donc rien à transcrire.",
        FailureKind.SOURCE_GONE: "le fichier déposé n'est plus là. Veuillez le déposer à nouveau.",
        FailureKind.CUT: "le début et la fin choisis ne laissent rien de la vidéo. Veuillez corriger la découpe.",
        FailureKind.DRESSING: "le filigrane ou les génériques de l'habillage choisi sont inutilisables. Choisissez un "
        "autre habillage, ou faites corriger celui-ci.",
        FailureKind.WATERMARK: "le filigrane de l'habillage choisi est inutilisable. Choisissez un autre habillage, "
        "ou faites corriger le filigrane de celui-ci.",
        FailureKind.OPENING_CREDITS: "le générique de début de l'habillage choisi est inutilisable. Choisissez un "
        "autre habillage, ou faites corriger le générique de début de celui-ci.",
        FailureKind.ENDING_CREDITS: "le générique de fin de l'habillage choisi est inutilisable. Choisissez un autre "
        "habillage, ou faites corriger le générique de fin de celui-ci.",
        FailureKind.LANGUAGE: "la langue n'est pas connue. Veuillez choisir la langue de la vidéo, puis demander à "
        "nouveau les sous-titres.",
        FailureKind.CANCELLED: "un administrateur a annulé le traitement.",
        FailureKind.NO_MODEL: "ce site ne sait pas encore transcrire cette langue. Votre fichier n'est pas en "
        "cause\N{NO-BREAK SPACE}: veuillez prévenir les administrateurs du site.",
        FailureKind.SERVICE: "un problème est survenu sur le site. Il est inutile de déposer le fichier à "
        "nouveau\N{NO-BREAK SPACE}: veuillez prévenir les administrateurs du site.",
        FailureKind.OTHER: "le fichier n'a pas pu être traité. Vérifiez qu'il se lit du début à la fin, "
        "convertissez-le en MP4 et déposez-le à nouveau\N{NO-BREAK SPACE}; si cela ne suffit pas, prévenez les "
        "administrateurs du site.",
    },
}


def tell_failure(problem: Problem, job_type: str, language: Language) -> str:
    """Say what has happened, why, and what can be done, to someone who knows nothing of how it works.

    Args:
        problem: why the job failed.
        job_type: of the job.
        language: of the sentence.
    """
    what = _WHAT[language].get(job_type, _WHAT[language][""])
    return f"{what}{_COLON[language]} {_WHY[language][kind_of(problem)]}"


def tell_details(problem: Problem, language: Language) -> str:
    """What administrators need to know, which is in English, behind a word in the reader's language."""
    return f"{_DETAILS[language]} {problem.title} {problem.detail}"


def kind_of(problem: Problem) -> FailureKind:
    """The kind of a failure; where whoever found it has not said it, as far as the problem shows it."""
    if problem.kind in set(FailureKind):
        return FailureKind(problem.kind)
    if problem.type == SOURCE_GONE:
        return FailureKind.SOURCE_GONE
    # a retry did not help, or what every step needs is missing; a wrong request is Pod's, or a setting's
    if problem.status >= LOWEST_SERVER_STATUS or problem.status == InvalidRequestError.status:
        return FailureKind.SERVICE
    return FailureKind.OTHER
