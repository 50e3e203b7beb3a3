"""`python -m adapter`."""

from adapter.operator.cli import adapter

if __name__ == "__main__":
    adapter(prog_name="python -m adapter")
