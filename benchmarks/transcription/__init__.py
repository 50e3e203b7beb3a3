"""`transcribe`: captions of known speech, beside the command line of whisper-ctranslate2."""
