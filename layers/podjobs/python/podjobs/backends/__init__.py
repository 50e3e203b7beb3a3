"""The only I/O: processes, storage, speech models, Pod's REST interface, the LRS."""
