"""Jobs, what travels between adapter and functions, and the ports. Pure: stdlib and pydantic only.

Most models say `defer_build`: pydantic builds what checks their fields when the first of them is made, so that whoever
needs few of them, such as a command that only reads, does not wait for all.
"""
