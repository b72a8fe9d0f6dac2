"""Chromium as tests and measurements start it: which one, and with what; and what they do to every page."""

import os
import shutil

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

UNCOVER = """document.querySelectorAll(".ck-covered, .ck-covering")
    .forEach((cover) => cover.classList.remove("ck-covered", "ck-covering"))"""
"""Shows what predictions hide until the reader commits."""


def executable():
    """The program that CHROMIUM names or that is installed; None stands for Playwright's own."""
    names = (os.environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)
