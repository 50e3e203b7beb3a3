"""`python -m adapter`."""

from adapter.cli import adapter

adapter(prog_name="python -m adapter")
