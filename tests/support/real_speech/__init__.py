"""Speech under the conditions in which it is really recorded, of known text, made with synthetic voices.

texts.py     what is said                 talk.py      sentences and pauses, and when each is said
rooms.py     what rooms and wires do      corpus.py    the conditions, and a recording of each in each language
losses.py    words that a transcript lacks, and whether the job's log tells of them
"""
