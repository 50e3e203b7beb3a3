"""Transcription: split at silences → transcribe each part → captions."""
