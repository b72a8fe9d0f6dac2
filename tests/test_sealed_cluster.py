"""Grading on a Dask cluster: a real one with TLS; without TLS, or without a jail, it is refused."""

import csv
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "attacks"))
from notebooks import instructor_cells, notebook

from coursekit.errors import CourseError
from coursekit.grading import cli
from coursekit.grading.cases import load_sheet
from coursekit.grading.sealed import cluster, probe

distributed = pytest.importorskip("distributed")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tcp://127.0.0.1:1", "a", "b", "c"), "must be tls"),
        (("tls://127.0.0.1:1", None, "b", "c"), "--tls-ca"),
        (("tls://127.0.0.1:1", "a", "b", "c", True), "--allow-weak-jail is refused"),
    ],
)
def test_an_open_cluster_is_refused(arguments, words):
    with pytest.raises(CourseError, match=words):
        cluster.dask_runner(*arguments)


def test_a_worker_without_a_jail_says_so(monkeypatch):
    monkeypatch.setattr(probe, "probe", lambda tier: probe.Probe(tier, ("x",), ("sends over UDP",)))
    tier, reason = cluster._tier()
    assert tier is None and "sends over UDP" in reason


@pytest.fixture
def tls(tmp_path):
    security = distributed.Security.temporary()
    files = {}
    for name, text in (
        ("ca", security.tls_ca_file),
        ("cert", security.tls_client_cert),
        ("key", security.tls_client_key),
    ):
        files[name] = tmp_path / f"{name}.pem"
        files[name].write_text(text)
    return security, files


@pytest.mark.slow
def test_a_real_cluster_with_tls_grades(tls, tmp_path, monkeypatch, capsys):
    security, files = tls
    monkeypatch.chdir(tmp_path)
    cells = instructor_cells("05")
    pathlib.Path("in").mkdir()
    for i in range(5):
        pathlib.Path(f"in/s{i}.ipynb").write_bytes(notebook(*cells))
    pathlib.Path("in/bad.ipynb").write_bytes(b"nonsense")
    pathlib.Path("in/link.ipynb").symlink_to("/etc/passwd")
    cli.main(["make-key", "course.key"])
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, security=security, protocol="tls://", dashboard_address=None
    ) as local:
        base = ["grade", "in", "--sheet", "05", "--key", "course.key", "--out", "out", "--scheduler"]
        with pytest.raises(SystemExit, match="must be tls"):
            cli.main([*base, local.scheduler_address.replace("tls", "tcp")])
        tls_options = [o for name in ("ca", "cert", "key") for o in (f"--tls-{name}", str(files[name]))]
        cli.main([*base, local.scheduler_address, *tls_options])
    with open("out/gradebook.csv", newline="", encoding="utf-8") as file:
        total = {row["student"]: row["total"] for row in csv.DictReader(file)}
    assert total == {**{f"s{i}": f"{load_sheet('05').points:g}" for i in range(5)}, "bad": "0", "link": "0"}
