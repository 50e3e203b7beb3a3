"""Packaging: chunks that cannot be read to their end are not packaged as if they were all there is."""

import io

import pytest

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import MissingFileError, RetryableError
from podjobs.encoding.function import EncodingFunction
from support.forward_only import ForwardOnlyStorage
from support.media import make_video


class BrokenStream(io.RawIOBase):
    """A stream whose connection breaks in the middle."""

    def __init__(self, stream, length):
        self.stream, self.left = stream, length

    def readable(self):
        return True

    def readinto(self, buffer):
        if not self.left:
            raise ConnectionResetError(104, "Connection reset by peer")
        content = self.stream.read(min(len(buffer), self.left))
        buffer[: len(content)] = content
        self.left -= len(content)
        return len(content)

    def close(self):
        self.stream.close()
        super().close()


class BrokenStorage(ForwardOnlyStorage):
    """One file breaks off when it is read, or is missing."""

    broken = missing = ""

    def open(self, key):
        if self.missing and key.endswith(self.missing):
            raise MissingFileError("The chunk is not there.")
        stream = super().open(key)
        if not (self.broken and key.endswith(self.broken)):
            return stream
        return io.BufferedReader(BrokenStream(stream, self.size_bytes(key) // 2))


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(("fault", "said"), [("broken", "Connection reset by peer"), ("missing", "is not there")])
def test_package_chunk_that_cannot_be_read_to_its_end_is_tried_again_and_nothing_is_left(
    workbench, number, fault, said
):
    make_video(workbench.folder / "talk.mp4", duration_s=6, size="320x180", sound=False)
    storage = BrokenStorage(open_storage(workbench.settings))
    workbench.function = EncodingFunction(ProcessTools(memory_limit_bytes=8 << 30), storage, workbench.settings)
    run = workbench.start(workbench.job("talk.mp4"))
    stages = run.stages()
    for _ in ("plan", "encode"):
        run.perform(next(stages))
    package = next(stages)
    setattr(storage, fault, f"chunk-{number:04d}/180.nut")
    with pytest.raises(RetryableError, match=said):
        run.perform(package)
    work = workbench.root / "work" / run.job.id
    assert [file for file in work.rglob("*") if file.suffix in {".ts", ".mp4", ".m3u8"}] == []
    assert not workbench.output.exists()
    setattr(storage, fault, "")
    run.perform(package)
    for stage in stages:
        run.perform(stage)
    assert run.results["publish"][1]["duration_s"] == 6
