"""Put on the path of every process that the tests start: Python code in it reaches this machine and no other."""

import ipaddress
import socket

_connect, _connect_ex, _getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo


def _check(host):
    if host in (None, "", "localhost"):
        return
    try:
        here = ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise OSError(f"the tests allow no network, and something asked for {host!r}")


def _check_address(sock, address):
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])


def _guarded_connect(self, address):
    _check_address(self, address)
    return _connect(self, address)


def _guarded_connect_ex(self, address):
    _check_address(self, address)
    return _connect_ex(self, address)


def _guarded_getaddrinfo(host, *args, **kwargs):
    _check(host)
    return _getaddrinfo(host, *args, **kwargs)


socket.socket.connect = _guarded_connect
socket.socket.connect_ex = _guarded_connect_ex
socket.getaddrinfo = _guarded_getaddrinfo
