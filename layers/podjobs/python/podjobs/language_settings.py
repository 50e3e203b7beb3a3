"""The setting that says in which language people are told something."""

from pydantic import Field

from podjobs.contract.failure_sentences import Language
from podjobs.settings import PodSettings


class LanguageSettings(PodSettings):
    """The language of what is written for people."""

    language_code: str = Field(
        default="en",
        description="Language of what people are told in Pod when a job has failed, and of the mails to ADMINS: fr, "
        "or English. As in Pod's settings.",
    )

    @property
    def language(self) -> Language:
        """One of the languages that there are."""
        return "fr" if self.language_code.lower().startswith("fr") else "en"
