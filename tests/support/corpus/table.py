"""All sources of the corpus, and the sample of them that every test run looks at."""

from support.corpus import container_rows, join_rows, metadata_rows, picture_rows, sound_rows, time_rows, track_rows
from support.corpus.kit import Row

ROWS: tuple[Row, ...] = (
    *container_rows.ROWS,
    *sound_rows.ROWS,
    *track_rows.ROWS,
    *time_rows.ROWS,
    *join_rows.ROWS,
    *picture_rows.ROWS,
    *metadata_rows.ROWS,
)
SAMPLED = (*("faststart.mp4", "live-vp8.webm", "voice.ogg", "subtitles-latin1.mkv"),)
"""Containers and oddities of several kinds: some 15 s of one processor."""
SAMPLE: tuple[Row, ...] = tuple(row for row in ROWS if row.name in SAMPLED)
