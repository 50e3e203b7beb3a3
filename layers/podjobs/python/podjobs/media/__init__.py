"""Media sources, as every subject sees them: facts, refusal of what must not be decoded, workspaces."""
