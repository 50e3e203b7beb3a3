"""All sources of the corpus, and the sample of them that every test run looks at."""

from support.corpus import container_rows
from support.corpus.kit import Row

ROWS: tuple[Row, ...] = (*container_rows.ROWS,)

SAMPLED = ("h264-aac.mp4", "live-vp8.webm", "mpeg2-mp2.mpg", "mpeg4-packed.avi")
SAMPLE: tuple[Row, ...] = tuple(row for row in ROWS if row.name in SAMPLED)
