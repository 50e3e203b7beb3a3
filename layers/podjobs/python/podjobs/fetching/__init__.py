"""Fetching: the files of a job whose sender shares no folder are brought into the media storage."""
