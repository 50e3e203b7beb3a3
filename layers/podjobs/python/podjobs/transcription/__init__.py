"""Transcription: split at pauses → transcribe each part → captions."""
