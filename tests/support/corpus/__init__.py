"""Whatever people upload: a table of made sources, and what comes of each beside what plain ffmpeg makes of it.

kit.py       how a source is made        *_rows.py    the sources       table.py   all of them, and a sample
ebml.py, boxes.py, patches.py            what is changed in a finished file
watch.py     what a file shows and sounds            compare.py, places.py   ours beside plain ffmpeg's
examine.py   one source from its making to its verdict
"""
