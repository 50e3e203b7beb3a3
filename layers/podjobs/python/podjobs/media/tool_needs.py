"""What ffmpeg must be able to do here, by its own names: looked for when an operator asks."""

ENCODERS = ("libx264", "aac", "libmp3lame", "png", "webvtt")
"""Of everything that is published."""
DECODERS = ("h264", "hevc", "mpeg4", "vp9", "aac", "mp3", "opus", "pcm_s16le")
"""Of what most uploads consist of."""
SOUND_DECODERS = ("aac", "mp3", "opus", "pcm_s16le")
