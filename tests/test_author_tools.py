"""What an author's commands run, and what they leave alone."""

import functools
import subprocess
import sys
import threading
import urllib.request
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from coursekit import _digests

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import dev  # noqa: E402
import execute_chapters  # noqa: E402
import try_chapter  # noqa: E402

NOTEBOOK = """---
kernelspec:
  name: python3
  display_name: Python 3
---

# A page

```{code-cell} ipython3
from coursekit.losses import huber

print(huber.__name__)
```

The end.
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook that was executed, in a cache of its own: (cache, path, what was kept beside its outputs)."""
    folder = tmp_path_factory.mktemp("executed")
    path = folder / "page.md"
    path.write_text(NOTEBOOK)
    cache = execute_chapters.get_cache(folder / "cache")
    notebook = execute_chapters.read(path)
    data = execute_chapters.executed(notebook, path) | {"versions": execute_chapters.versions()}
    bundle = execute_chapters.CacheBundleIn(notebook, str(path), data=data)
    cache.cache_notebook_bundle(bundle, check_validity=False)
    return cache, path, data


def test_a_run_names_what_it_loaded(executed):
    _, _, data = executed
    assert {"coursekit", "coursekit.losses"} <= set(data["sources"])
    assert not any("grading" in name or "explorers" in name for name in data["sources"])


def test_outputs_are_kept_until_something_changes_that_the_run_loaded(executed, monkeypatch):
    cache, path, data = executed
    notebook = execute_chapters.read(path)
    assert execute_chapters.known(cache, notebook, data["versions"])
    assert not execute_chapters.known(cache, execute_chapters.read(changed(path, "__name__", "__doc__")), {})
    digest = _digests.digest

    def edited(name):
        return lambda file, part="": "another" if file and file.match(f"*/{name}") else digest(file, part)

    monkeypatch.setattr(_digests, "digest", edited("grading/check.py"))
    assert execute_chapters.known(cache, notebook, data["versions"])
    monkeypatch.setattr(_digests, "digest", edited("coursekit/losses.py"))
    assert not execute_chapters.known(cache, notebook, data["versions"])
    monkeypatch.undo()
    assert not execute_chapters.known(cache, notebook, data["versions"]), "what is out of date is forgotten"


def changed(path, old, new):
    other = path.with_name("other.md")
    other.write_text(path.read_text().replace(old, new))
    return other


def test_another_numpy_or_another_set_of_versions_runs_again(executed):
    cache, path, data = executed
    for versions in ({**data["versions"], "numpy": "1.0"}, {**data["versions"], "constraints": "other"}):
        bundle = execute_chapters.CacheBundleIn(execute_chapters.read(path), str(path), data=data)
        cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)
        assert not execute_chapters.known(cache, execute_chapters.read(path), versions)


def test_the_tests_of_one_chapter_are_picked():
    files = try_chapter.tests("08")
    assert "tests/test_experiments_learning_rate_and_batch_size.py" in files and "tests/test_exercises.py" in files
    assert files[-1] == "test_experiments_learning_rate_and_batch_size or [08"
    listed = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", *files], cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert "[08.1-0]" in listed and "test_ledger.py::" in listed and "[07" not in listed


@pytest.mark.parametrize("chapter", ["", "8", "99"])
def test_a_chapter_that_is_none_is_refused(chapter):
    done = subprocess.run([sys.executable, "tools/try_chapter.py", chapter], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "For example: make try CHAPTER=08" in done.stderr


def test_a_saved_file_is_seen_and_one_that_is_gone_too():
    one, two, three = Path("a.md"), Path("b.md"), Path("c.md")
    assert dev.changes({one: 1, two: 1}, {one: 1, two: 2, three: 1}) == [two, three]
    assert dev.changes({one: 1}, {}) == [one]
    names = {str(path.relative_to(ROOT)) for path in dev.files()}
    assert {"chapters/01_backpropagation.md", "src/coursekit/losses.py", "references.bib"} <= names
    assert not any(name.endswith((".pyc", ".ipynb")) for name in names)


def test_pages_get_a_script_that_reloads_them_and_files_stay_as_they_are(tmp_path):
    page = '<head><meta http-equiv="Content-Security-Policy" content="script-src \'self\'"></head><body>Hello</body>'
    (tmp_path / "page.html").write_text(page)
    (tmp_path / "style.css").write_text("p {}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(dev.Handler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def get(path):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{path}") as answer:
            return answer.read().decode()

    text = get("page.html")
    assert "Content-Security-Policy" not in text and "location.reload()" in text and "Hello" in text
    assert get("style.css") == "p {}"
    before = get(dev.BUILD.strip("/"))
    dev.Handler.number += 1
    assert get(dev.BUILD.strip("/")) != before
    server.shutdown()


def test_only_what_passed_on_main_is_published():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "publish.yml").read_text(encoding="utf-8"))
    assert workflow[True] == {"workflow_run": {"workflows": ["test"], "types": ["completed"], "branches": ["main"]}}
    condition = workflow["jobs"]["deploy"]["if"]
    for part in ("conclusion == 'success'", "event == 'push'", "head_branch == 'main'"):
        assert part in condition
    tests = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    assert tests["name"] == "test"
    uploads = [step["with"]["name"] for step in tests["jobs"]["test"]["steps"] if "upload" in step.get("uses", "")]
    assert "book" in uploads


def test_the_version_is_the_same_wherever_it_is_written():
    import coursekit

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == coursekit.__version__


def test_the_quiz_of_a_new_chapter_asks_in_the_kinds_that_every_quiz_has_to():
    import new_chapter

    from coursekit.interactive.quiz import _question

    kinds = [_question("16", number, row).kind.kind for number, row in enumerate(new_chapter.quiz(), 1)]
    assert len(kinds) == 5 and len(set(kinds)) >= 3 and kinds.count("choice") <= 0.7 * len(kinds)
