"""Makes captions from the words of all parts and leaves them where Pod looks for them."""

import json
import posixpath
import time
from itertools import islice

from podjobs.contract.errors import MissingFileError
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.plans import Result
from podjobs.contract.ports.speech import ModelLocation, Word
from podjobs.contract.ports.storage import Storage
from podjobs.contract.steps import Step
from podjobs.media.fetched import remove_fetched
from podjobs.media.publication import Publication
from podjobs.transcription.captions.cues import make_cues_in_languages
from podjobs.transcription.captions.webvtt import render_webvtt
from podjobs.transcription.hearing.sound import SLACK_S
from podjobs.transcription.languages import choose_model
from podjobs.transcription.recipe import Part, Recipe
from podjobs.transcription.spoken_languages import add_up, tell_other_languages
from podjobs.transcription.transcribe import read_words
from podjobs.transcription.workspace import Workspace

CAPTIONS_FOLDER = "captions"
CAPTIONS = "captions.vtt"
"""In the work folder, from where they are moved: nothing appears once the job has ended."""


def publish_captions(job: TranscriptionJob, step: Step, recipe: Recipe, work: Workspace) -> Result:
    """Write the WebVTT that Pod is notified of; safe to repeat.

    Args:
        job: what was requested.
        step: has the results of the parts.
        recipe: the parts.
        work: where their words are.

    Returns:
        `cues`, `words`: how many; `message`: the message for Pod; `published_at`: seconds since the epoch.

    Raises:
        RetryableError: a part's words do not exist; or the job has ended or was superseded.
    """
    if not work.storage.has_work(job.id) and work.storage.exists(job.captions):
        work.storage.remove_work(job.id)  # what an attempt left that was killed while it removed
        remove_fetched(job, work.storage)
        return Result(values={"message": "The captions were made before.", "published_at": time.time()})
    publication = Publication(work.storage, job.id)
    try:
        runs = [run for part in recipe.parts(SLACK_S) for run in _read_runs(part, step, recipe, work)]
    except MissingFileError:
        publication.check()
        raise
    location = choose_model(work.settings.models, recipe.language)
    cues = make_cues_in_languages(runs, work.settings.podjobs_caption_rules)
    with work.writing(CAPTIONS_FOLDER) as folder:
        (folder / CAPTIONS).write_text(render_webvtt(cues), encoding="utf-8", newline="")
    publication.move(work.key(f"{CAPTIONS_FOLDER}/{CAPTIONS}"), job.captions)
    if job.info is not None:
        work.storage.write(job.info, describe(job, recipe, location))
    work.storage.remove_work(job.id)
    remove_fetched(job, work.storage)
    speech_s = sum(values.get("speech_s", 0.0) for values in step.results.values())
    count, model = sum(len(words) for _, words in runs), name_of(location)
    languages = ", ".join(dict.fromkeys(language for language, words in runs if words)) or recipe.caption_language
    summary = (
        f"{len(cues)} captions with {count} words ({languages}) were made of {speech_s:.0f} s of speech in "
        f"{recipe.length_s:.0f} s of sound, by the model {model!r}."
    )
    if not cues:
        summary = f"Nobody speaks in these {recipe.length_s:.0f} s of sound, so there are no captions."
    spoken_s = add_up(step.results.values())
    others = "" if recipe.language_is_open else tell_other_languages(recipe.language, spoken_s)
    log = tuple(filter(None, (others, summary)))
    values = {"cues": len(cues), "words": count, "message": " ".join((*recipe.log, *log)), "published_at": time.time()}
    return Result(values=values, log=log)


def _read_runs(part: Part, step: Step, recipe: Recipe, work: Workspace) -> list[tuple[str, list[Word]]]:
    """The words of a part, as many in a row as are in one language. Raises like `read_words`."""
    words = iter(read_words(part, work))
    values = step.results.get(part.name, {})
    runs = [(language, list(islice(words, count))) for language, count in values.get("runs", ())]
    return [*runs, (recipe.caption_language, list(words))]


def name_of(location: ModelLocation) -> str:
    """A model's name, for people."""
    return posixpath.basename(location.model.rstrip("/"))


def describe(job: TranscriptionJob, recipe: Recipe, location: ModelLocation) -> bytes:
    """The info_video.json beside captions that are fetched over HTTP. Source: docs/contract-pod-runner.md, row q."""
    return json.dumps(
        {
            "job_id": job.id,
            "duration": int(recipe.length_s),
            "transcription": {
                "whisper_model": name_of(location),
                "detected_source_language": recipe.language,
                "final_subtitle_language": recipe.caption_language,
                "translation": {"applied": recipe.translate, "target_language": recipe.caption_language},
            },
        },
        indent=2,
    ).encode()


def report_failure(job: TranscriptionJob, storage: Storage) -> Result:
    """Leave an empty caption file where Pod looks for one, so that it can be notified; remove the rest."""
    storage.write(job.captions, render_webvtt(()).encode())
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    log = ("An empty caption file was left for Pod, which is notified of the failure.",)
    return Result(values={"published_at": time.time()}, log=log)


def discard(job: TranscriptionJob, storage: Storage) -> Result:
    """Remove the files of a job that a newer one has superseded."""
    storage.delete(job.captions)
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    return Result(log=("A newer job superseded this one; its files were removed.",))


def withdraw(job: TranscriptionJob, storage: Storage) -> Result:
    """Remove the files of a job whose video was deleted."""
    storage.delete(job.captions)
    storage.remove_work(job.id)
    remove_fetched(job, storage)
    return Result(log=("The video was deleted; the files of this job were removed.",))
