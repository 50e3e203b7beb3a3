"""Views become HTML: the templates, and what they may use."""

import posixpath
import re
import time
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from adapter.inspection.durations import format_about, format_seconds
from adapter.inspection.overview import Remark
from adapter.page.languages import LANGUAGES, translate
from adapter.page.pictures import Point, draw_day, draw_steps
from adapter.page.shortening import shorten
from adapter.page.views import JobView
from adapter.plurals import is_plural

_COMMAND = re.compile("`([^`]+)`")


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
            "ngettext": self.counted,
            "left": self._left,
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
            "shorten": shorten,
            "name": posixpath.basename,
            "commands": mark_commands,
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

    def counted(self, one: str, many: str, count: int, **values: Any) -> str:
        """A text for a number of things."""
        return self.text(many if is_plural(count, self._language) else one, count=count, **values)

    def _left(self, ready_at: float) -> str:
        """When something is ready, and how long that is from now; empty if it is not known."""
        if not ready_at:
            return ""
        left_s = max(1.0, ready_at - time.time())
        return self.text("%(clock)s, in %(time)s", clock=format_clock(ready_at), time=format_about(left_s))

    def _remark(self, remark: Remark) -> str:
        if remark.many:
            return self.counted(remark.text, remark.many, **remark.values)
        return self.text(remark.text, **remark.values)

    def _draw_day(self, points: list[Point]) -> Markup:
        title = self.text("Jobs that have ended in each quarter of an hour, and what waited")
        # the drawing escapes what it is given
        return Markup(draw_day(points, title, [format_clock(point.at_s) for point in points]))  # noqa: S704

    def _draw_steps(self, view: JobView) -> Markup:
        title = self.text("Which steps waited and which worked, from when the job was accepted")
        return Markup(draw_steps(view.rows, view.length_s, title, self._remark))  # noqa: S704


def mark_commands(text: str) -> Markup:
    """A text in which what is to be typed stands between backticks."""
    return Markup(_COMMAND.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704 - it is escaped


def format_clock(at_s: float, *, with_date: bool = False) -> str:
    """A time of the server's clock; empty if there is none.

    Args:
        at_s: seconds since the epoch.
        with_date: whether the date is told, too.
    """
    return time.strftime("%Y-%m-%d %H:%M:%S" if with_date else "%H:%M", time.localtime(at_s)) if at_s else ""
