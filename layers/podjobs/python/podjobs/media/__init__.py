"""Media sources, as every subject looks at them: facts, refusal of what must not be decoded, where a step works."""
