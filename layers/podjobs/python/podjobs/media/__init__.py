"""Media sources, as every subject sees them: how ffmpeg reads them, facts, refusals, workspaces."""
