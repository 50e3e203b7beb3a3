"""Where jobs and statements come in."""
