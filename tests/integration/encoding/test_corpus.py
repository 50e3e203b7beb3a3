"""A file that plain ffmpeg encodes well is encoded at least as well; one that it refuses is refused by name of what is
wrong. See support/corpus; `scripts/bench corpus` prints the whole table."""

import pytest

from support.corpus.examine import WORSE, examine
from support.corpus.table import ROWS, SAMPLE


@pytest.fixture
def materials(tmp_path_factory, worker_id):
    """What several sources are made of, made once for all workers."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "corpus-materials"


def check(row, folder, materials):
    verdict = examine(row, folder / "row", materials)
    assert verdict.word != WORSE, "\n".join([*verdict.reasons, "The job's log:", *verdict.log])


@pytest.mark.parametrize("row", SAMPLE, ids=str)
def test_encode_source_of_the_sample_is_at_least_as_well_encoded_as_by_plain_ffmpeg(row, tmp_path, materials):
    check(row, tmp_path, materials)


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in ROWS if row not in SAMPLE], ids=str)
def test_encode_any_source_is_at_least_as_well_encoded_as_by_plain_ffmpeg(row, tmp_path, materials):
    check(row, tmp_path, materials)


def test_corpus_is_large_enough_and_names_each_source_once():
    assert len(ROWS) >= 200
    assert len({row.name for row in ROWS}) == len(ROWS)
