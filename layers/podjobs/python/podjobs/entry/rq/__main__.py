"""`python -m podjobs.entry.rq`: starts a server's workers."""

from podjobs.entry.rq.command import workers

if __name__ == "__main__":
    workers(prog_name="python -m podjobs.entry.rq")
