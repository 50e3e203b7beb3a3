"""Views become HTML: the templates, and what they may use."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adapter.inspection.durations import format_seconds
from adapter.inspection.overview import Remark
from adapter.page.languages import LANGUAGES, translate
from adapter.page.pictures import Point, draw_day, draw_steps
from adapter.page.views import JobView

_LINK_CHARS = 60


class Renderer:
    """Renders the templates in one language."""

    def __init__(self, language: str, root: str) -> None:
        """Prepare the templates.

        Args:
            language: one of LANGUAGES.
            root: path below which the page is reached; empty: the server's root.
        """
        self._language = language
        self._templates = Environment(
            loader=PackageLoader("adapter.page"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "_": self.text,
            "language": language,
            "languages": LANGUAGES,
            "root": root,
            "draw_day": self._draw_day,
            "draw_steps": self._draw_steps,
            "remark": self._remark,
        }
        self._templates.filters |= {
            "clock": partial(format_clock, with_date=False),
            "moment": partial(format_clock, with_date=True),
            "duration": format_seconds,
            "percent": lambda share: f"{share:.0%}",
        }

    def render(self, template: str, **values: Any) -> str:
        """Render a template.

        Args:
            template: its file, without `.html`.
            values: what it shows.
        """
        return self._templates.get_template(f"{template}.html").render(**values)

    def text(self, text: str, **values: Any) -> str:
        """A text in this language."""
        return translate(self._language, text, values)

    def _remark(self, remark: Remark) -> str:
        return self.text(remark.text, **remark.values)

    def _draw_day(self, points: list[Point]) -> Markup:
        title = self.text("Jobs that have ended in each quarter of an hour, and what waited")
        # the drawing escapes what it is given
        return Markup(draw_day(points, title, [format_clock(point.at_s) for point in points]))  # noqa: S704

    def _draw_steps(self, view: JobView) -> Markup:
        title = self.text("Which steps waited and which worked, from when the job was accepted")
        return Markup(draw_steps(view.rows, view.length_s, title))  # noqa: S704


def format_clock(at_s: float, *, with_date: bool = False) -> str:
    """A time of the server's clock; empty if there is none.

    Args:
        at_s: seconds since the epoch.
        with_date: whether the date is told, too.
    """
    return time.strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M", time.localtime(at_s)) if at_s else ""


Fragment = Callable[[Renderer], str]
"""Renders a part of a page."""
