"""Where the pictures of a studio recording are shown. Pure.

Source: docs/contract-pod.md, studio.
"""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from podjobs.contract.jobs import Layout
from podjobs.encoding.ladder import LONGEST_SIDE_PX, to_even

MARGIN_PX = 10
"""Between the presenter's picture and the edges."""
INSET_SHARE = 1 / 4
"""The presenter's height as a share of the whole."""

Size = tuple[int, int]
"""Width and height, in square pixels, as displayed."""


class Place(BaseModel):
    """Where a picture is shown; all numbers are even, as chroma has half as many pixels."""

    model_config = ConfigDict(frozen=True)

    x_px: int
    y_px: int
    width_px: int
    height_px: int

    @property
    def size_px(self) -> Size:
        """Width and height."""
        return self.width_px, self.height_px


class Arrangement(NamedTuple):
    """The whole picture, and the places in it: the presentation's, then the presenter's."""

    size_px: Size
    places: tuple[Place, ...]


def arrange(layout: Layout, presentation_px: Size, presenter_px: Size) -> Arrangement:
    """Choose the size of the whole picture, and where both sources are shown.

    Args:
        layout: one that shows both.
        presentation_px: width and height.
        presenter_px: likewise.
    """
    if layout == "mid":
        return _side_by_side(presentation_px, presenter_px)
    return _inset(layout, presentation_px, presenter_px)


def arrange_alone(size_px: Size) -> Arrangement:
    """One source fills the whole picture."""
    size_px = _within_limit(size_px)
    return Arrangement(size_px, (Place(x_px=0, y_px=0, width_px=size_px[0], height_px=size_px[1]),))


def _side_by_side(presentation_px: Size, presenter_px: Size) -> Arrangement:
    """Equal heights, the smaller of both, as nothing is scaled up."""
    height_px = min(presentation_px[1], presenter_px[1])
    whole_px = sum(width * height_px / height for width, height in (presentation_px, presenter_px))
    height_px = to_even(height_px * min(1.0, LONGEST_SIDE_PX / whole_px))
    left_px, right_px = (to_even(width * height_px / height) for width, height in (presentation_px, presenter_px))
    left = Place(x_px=0, y_px=0, width_px=left_px, height_px=height_px)
    right = Place(x_px=left_px, y_px=0, width_px=right_px, height_px=height_px)
    return Arrangement((left_px + right_px, height_px), (left, right))


def _inset(layout: Layout, presentation_px: Size, presenter_px: Size) -> Arrangement:
    """The presenter in a corner of the presentation, however wide or high his picture is."""
    whole = arrange_alone(presentation_px)
    width_px, height_px = whole.size_px
    wanted_px = height_px * INSET_SHARE
    room_px = max(2, width_px - 2 * MARGIN_PX)
    scale = min(wanted_px / presenter_px[1], room_px / presenter_px[0])
    inset_px = to_even(presenter_px[0] * scale), to_even(presenter_px[1] * scale)
    y_px = height_px - inset_px[1] - MARGIN_PX if layout == "pipb" else MARGIN_PX
    inset = Place(
        x_px=max(0, width_px - inset_px[0] - MARGIN_PX),
        y_px=max(0, min(y_px, height_px - inset_px[1])),
        width_px=inset_px[0],
        height_px=inset_px[1],
    )
    return Arrangement(whole.size_px, (*whole.places, inset))


def _within_limit(size_px: Size) -> Size:
    scale = min(1.0, LONGEST_SIDE_PX / max(size_px))
    return to_even(size_px[0] * scale), to_even(size_px[1] * scale)
