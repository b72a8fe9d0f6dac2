"""What several browser tests use."""

from __future__ import annotations

import os

import pytest

PHONE = {"viewport": {"width": 375, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}


def give_up(reason: str):
    """Skip with a reason; with CI=true a skip is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason} (CI=true: nothing may be skipped)", pytrace=False)
    pytest.skip(reason)


def go_live(page):
    """Start Python in the page of the small book; what was shown, after how long, and what was said meanwhile."""
    return page.evaluate("""async () => {
      const root = document.querySelector("#ck-wave-shape");
      const said = [];
      const status = root.querySelector(".ck-status");
      new MutationObserver(() => said.push(status.innerText)).observe(status, { childList: true, subtree: true });
      const shown = new Promise((done) => root.addEventListener("ck:shown", (e) => done(e.detail)));
      const start = performance.now();
      root.querySelector(".ck-go").click();
      await Promise.resolve();
      root.querySelector(".ck-start")?.click(); // the first time it tells what it loads
      const detail = await Promise.race([shown, new Promise((done) => setTimeout(() => done(null), 60000))]);
      return { detail, ms: performance.now() - start, said };
    }""")


def answer_all(page):
    """Commit to an answer of every prediction and question, so that what stands behind them is shown."""
    for form in page.locator(".ck-predict form").all():
        if not form.locator("button[type=submit]").is_visible():
            continue
        for kind in ("radio", "checkbox", "range"):
            field = form.locator(f"input[type={kind}]")
            if field.count():
                field.first.fill("50") if kind == "range" else field.first.check()
        if form.locator("input[type=text]").count():
            form.locator("input[type=text]").fill("1/2")
        form.locator("button[type=submit]").click()


def lift_covers(page):
    """Show what stands behind the page's predictions, as a reader who does not want to guess."""
    page.wait_for_load_state()
    page.evaluate("document.querySelectorAll('.ck-cover button').forEach((button) => button.click())")


# Waits until what moves has come to rest; what is far off the screen may never, so no longer than colours take.
SETTLED = (
    "Promise.race([Promise.allSettled(document.getAnimations().map((each) => each.finished)),"
    " new Promise((done) => setTimeout(done, 1500))])"
)
