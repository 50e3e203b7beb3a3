"""The only I/O: processes, storage, Pod's REST interface."""
