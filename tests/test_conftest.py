"""The tests' own guard: no network."""

import socket
import subprocess
import sys
import urllib.request

import pytest


def test_that_no_test_reaches_another_machine():
    with pytest.raises(OSError, match="no network"):
        urllib.request.urlopen("http://example.org/", timeout=5)
    with socket.socket() as plain, pytest.raises(OSError, match="no network"):
        plain.connect(("192.0.2.1", 80))


def test_that_no_process_of_a_test_reaches_another_machine():
    code = "import urllib.request; urllib.request.urlopen('http://example.org/', timeout=5)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode != 0
    assert "no network" in done.stderr


def test_that_this_machine_can_be_reached():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
