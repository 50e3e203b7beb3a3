"""All sources of the corpus."""

from support.corpus import container_rows
from support.corpus.kit import Row

ROWS: tuple[Row, ...] = (*container_rows.ROWS,)
