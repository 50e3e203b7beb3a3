"""Plays a result in a real browser: Chromium with the local page and its hls.js, driven as a person would."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.support.wait import WebDriverWait

from support.fidelity.marks import BITS, STRIP, Frame

TIMEOUT_S = 10
PLAYED_S = 1.5
SEEKS = (0.05, 0.3, 0.5, 0.72, 0.95)
"""Shares of the length."""
SAFELY_INSIDE_S = 0.002
"""After a frame's time, that it is shown for certain."""

READ_FRAME = f"""
const video = document.getElementById("video"), canvas = document.createElement("canvas");
canvas.width = video.videoWidth; canvas.height = video.videoHeight;
const context = canvas.getContext("2d");
context.drawImage(video, 0, 0);
let number = 0;
for (let bit = 0; bit < {BITS}; bit++) {{
  const x = Math.floor((bit + 0.5) * canvas.width / {BITS}), y = Math.floor(canvas.height * {STRIP} / 2);
  number += (context.getImageData(x, y, 1, 1).data[0] > 127) << bit;
}}
return number;
"""
"""Reads the number of the frame that is shown; see marks.py."""


def missing_programs() -> list[str]:
    """What has to be installed before a browser can be asked."""
    return [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]


@contextmanager
def open_browser() -> Iterator[webdriver.Chrome]:
    """Start Chromium without a window."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or "chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    browser = webdriver.Chrome(options=options, service=service)
    try:
        yield browser
    finally:
        browser.quit()


def play(
    browser: webdriver.Chrome, address: str, frames: list[Frame], begin_s: float, heights_px: list[int]
) -> list[str]:
    """Play from the beginning, switch to every level, seek to five places.

    Args:
        browser: of `open_browser`.
        address: of the local page.
        frames: what the result shows, in order.
        begin_s: where the browser's clock is 0: hls.js lets it begin with the first decoding time.
        heights_px: of the levels' pictures.

    Returns:
        What went wrong, a sentence each.
    """
    browser.get(address)
    faults = []
    if not _comes(browser, lambda: _value(browser, "video.currentTime") > PLAYED_S):
        return ["it does not play."]
    for level, height_px in enumerate(heights_px):
        browser.execute_script(
            "const q = document.getElementById('quality'); q.value = arguments[0]; q.onchange();", level
        )
        if not _comes(browser, lambda: _value(browser, "video.videoHeight") == height_px):  # noqa: B023
            faults.append(f"it does not switch to level {level} with {height_px} lines.")
    browser.execute_script("document.getElementById('video').pause();")
    length_s = frames[-1].time_s - frames[0].time_s
    for share in SEEKS:
        place = next(n for n, frame in enumerate(frames) if frame.time_s - frames[0].time_s >= share * length_s)
        target, near = frames[place], {frame.number for frame in frames[max(0, place - 1) : place + 2]}
        place_s = target.time_s - begin_s
        browser.execute_script(
            "document.getElementById('video').currentTime = arguments[0];", place_s + SAFELY_INSIDE_S
        )
        if not _comes(browser, lambda: _shows(browser, near)):  # noqa: B023
            shown = browser.execute_script(READ_FRAME)
            faults.append(f"a seek to {place_s:.2f} s shows frame {shown} in place of {target.number}.")
    return faults


def _shows(browser: webdriver.Chrome, numbers: set[int]) -> bool:
    return not _value(browser, "video.seeking") and browser.execute_script(READ_FRAME) in numbers


def _value(browser: webdriver.Chrome, expression: str) -> Any:
    return browser.execute_script(f"const video = document.getElementById('video'); return {expression};")


def _comes(browser: webdriver.Chrome, condition: Callable[[], bool]) -> bool:
    try:
        return bool(WebDriverWait(browser, TIMEOUT_S, 0.1).until(lambda _: condition()))
    except TimeoutException:
        return False
