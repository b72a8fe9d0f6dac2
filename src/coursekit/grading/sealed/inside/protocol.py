"""Framed messages between the trusted grader and a jailed child: a JSON header, then raw bytes. No pickle.

    frame = magic "CKG1" | header length | body length | header (JSON) | body (the raw bytes of all arrays)

What can travel: None, booleans, numbers, strings, tuples, lists and dicts of them, NumPy numbers and arrays of the
kinds b i u f c, generators (the grader's to the child), and references to things that stay where they are: an object
in the child ("o"), a function in the grader ("f"). Nothing else can be built from a frame, whatever is in it: an
array is always exactly `numpy.ndarray`, owns its memory and has a standard dtype.

`decode` is told what it may build from references, so a child cannot make the grader call anything, and every length
is checked before memory is taken. Each blob may be named once, and dicts and references are counted, so that a frame
never becomes much more than its own size. A frame that breaks a rule raises `Malformed`.
"""

import json
import math
import struct

import numpy as np

MAGIC = b"CKG1"
PREFIX = struct.Struct("<4sII")
MAX_HEADER = 1 << 20
MAX_BODY = 32 << 20
MAX_DEPTH = 16
MAX_PAIRS = 10_000  # of all dicts of a frame
MAX_DICT = 1_000  # of one: keys can be chosen so that a dict takes a time quadratic in their number
MAX_REFERENCES = 2_000
MAX_TEXT = 1 << 18
DTYPES = {
    np.dtype(t).newbyteorder("<").str: np.dtype(t) for t in "bool i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8 c16".split()
}


class Malformed(ValueError):
    """A frame that breaks the rules of the protocol."""


class TooLarge(ValueError):
    """A value that is too large, or nested too deeply, to be sent."""


def encode(value, blobs, reference=None, depth=0):
    """`value` as a JSON tree; the bytes of its arrays are appended to `blobs`.

    `reference(value)` gives the node of anything that cannot be copied; without it that is a TypeError.
    """
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return value
    if kind is int:
        if value.bit_length() > 8192:
            raise TooLarge(f"a whole number with {value.bit_length()} bits cannot be sent")
        return value
    if kind is str:
        if len(value) > MAX_TEXT:
            raise TooLarge(f"a string of {len(value)} characters cannot be sent; at most {MAX_TEXT}")
        return value
    if depth > MAX_DEPTH:
        raise TooLarge(f"a value nested more than {MAX_DEPTH} deep cannot be sent")
    if kind is complex:
        return {"c": [value.real, value.imag]}
    if kind in (tuple, list):
        return {"t" if kind is tuple else "l": [encode(v, blobs, reference, depth + 1) for v in value]}
    if kind is dict:
        if len(value) > MAX_DICT:
            raise TooLarge(f"a dict with {len(value)} keys cannot be sent; at most {MAX_DICT}")
        pairs = [
            [encode(k, blobs, reference, depth + 1), encode(v, blobs, reference, depth + 1)] for k, v in value.items()
        ]
        return {"d": pairs}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        code = array.dtype.newbyteorder("<").str
        if code in DTYPES and array.dtype.names is None:
            if array.nbytes > MAX_BODY:
                raise TooLarge(f"an array of shape {array.shape} ({array.nbytes >> 20} MB) is too large to be sent")
            blobs.append(array.astype(DTYPES[code], copy=False).tobytes())
            return {"s" if isinstance(value, np.generic) else "a": [code, list(array.shape), len(blobs) - 1]}
    if kind is np.random.Generator and type(value.bit_generator) is np.random.PCG64:
        state = value.bit_generator.state
        numbers = [state["state"]["state"], state["state"]["inc"], state["has_uint32"], state["uinteger"]]
        return {"g": [str(n) for n in numbers]}
    if kind is type and issubclass(value, np.generic) and np.dtype(value).newbyteorder("<").str in DTYPES:
        return {"y": np.dtype(value).newbyteorder("<").str}
    if reference is None:
        raise TypeError(f"a {kind.__name__} cannot be sent")
    return reference(value)


class _Left:
    """What a frame may still hold: its blobs, each once, pairs of dicts, references."""

    def __init__(self, blobs):
        self.blobs, self.pairs, self.references = list(blobs), MAX_PAIRS, MAX_REFERENCES

    def blob(self, index):
        if type(index) is not int or not 0 <= index < len(self.blobs) or self.blobs[index] is None:
            raise Malformed("no such array, or one that was taken already")
        found, self.blobs[index] = self.blobs[index], None
        return found

    def take_pairs(self, count):
        self.pairs -= count
        if count > MAX_DICT or self.pairs < 0:
            raise Malformed("a dict with too many keys")

    def take_reference(self):
        self.references -= 1
        if self.references < 0:
            raise Malformed("too many objects")


def decode(node, blobs, references=None):
    """The value of a JSON tree. `references` maps "o" and "f" to functions of a number and a type's name."""
    return _decode(node, _Left(blobs), references, 0)


def _decode(node, left, references, depth):
    if node is None or type(node) in (bool, int, float, str):
        return node
    if type(node) is not dict or len(node) != 1 or depth > MAX_DEPTH + 1:
        raise Malformed("not a value")
    ((tag, body),) = node.items()
    if references and tag in references:
        if type(body) is not list or len(body) != 2 or type(body[0]) is not int or type(body[1]) is not str:
            raise Malformed("not a reference")
        left.take_reference()
        return references[tag](*body)
    if tag == "y" and type(body) is str and body in DTYPES:
        return DTYPES[body].type
    if type(body) is not list:
        raise Malformed("not a value")
    if tag in "tl" and len(tag) == 1:
        values = [_decode(v, left, references, depth + 1) for v in body]
        return tuple(values) if tag == "t" else values
    if tag == "d":
        left.take_pairs(len(body))
        try:
            return {_key(_decode(k, left, None, depth + 1)): _decode(v, left, references, depth + 1) for k, v in body}
        except (TypeError, ValueError) as error:  # a key that cannot be one, such as a list; a pair that is none
            raise error if type(error) is Malformed else Malformed("not a dict") from None
    if tag == "c" and len(body) == 2 and all(type(n) is float for n in body):
        return complex(*body)
    if tag in ("a", "s"):
        return _array(tag, body, left)
    if (
        tag == "g"
        and len(body) == 4
        and all(type(n) is str and n.isascii() and n.isdecimal() and len(n) < 50 for n in body)
    ):
        state, inc, has, uinteger = map(int, body)
        bits = np.random.PCG64()
        try:
            bits.state = {
                "bit_generator": "PCG64",
                "state": {"state": state, "inc": inc},
                "has_uint32": has,
                "uinteger": uinteger,
            }
        except (ValueError, OverflowError):
            raise Malformed("not a generator") from None
        return np.random.Generator(bits)
    raise Malformed("not a value")


def _key(value):
    """A key of a dict: a number, a text, or a short tuple of these."""
    parts = value if type(value) is tuple and len(value) <= 8 else (value,)
    if not all(part is None or isinstance(part, (int, float, complex, str, np.generic)) for part in parts):
        raise Malformed("not a key")
    return value


def _array(tag, body, left):
    if len(body) != 3:
        raise Malformed("not an array")
    code, shape, index = body
    if type(code) is not str or code not in DTYPES or type(shape) is not list or len(shape) > 32:
        raise Malformed("not an array")
    if any(type(n) is not int or not 0 <= n <= MAX_BODY for n in shape):
        raise Malformed("not a shape")
    if math.prod(max(n, 1) for n in shape) > MAX_BODY:  # an array of nothing, of a shape that NumPy cannot hold
        raise Malformed("not a shape")
    blob = left.blob(index)
    dtype, size = DTYPES[code], math.prod(shape)
    if size * dtype.itemsize != len(blob):
        raise Malformed("an array of another size than announced")
    if dtype.kind == "b":  # any byte but 0 and 1 would be a truth value that is neither
        array = (np.frombuffer(blob, np.uint8) != 0).reshape(shape)
    else:
        array = np.frombuffer(blob, dtype).reshape(shape).copy()
    if tag == "a":
        return array
    if shape:
        raise Malformed("not a number")
    return array[()]


def pack(header, blobs=()):
    """One frame as bytes."""
    data = json.dumps({**header, "lengths": [len(b) for b in blobs]}, separators=(",", ":")).encode()
    size = sum(map(len, blobs))
    if len(data) > MAX_HEADER or size > MAX_BODY:
        raise TooLarge(f"a value of {(len(data) + size) >> 20} MB in many parts is too large to be sent")
    return b"".join([PREFIX.pack(MAGIC, len(data), size), data, *blobs])


def sizes(prefix):
    """The lengths of header and body that the first 12 bytes of a frame announce."""
    magic, header, body = PREFIX.unpack(prefix)
    if magic != MAGIC or header > MAX_HEADER or body > MAX_BODY:
        raise Malformed("not a frame")
    return header, body


def unpack(header, body):
    """Header (a dict) and blobs of a frame whose two parts are here."""
    try:
        head = json.loads(header)
    except (ValueError, RecursionError):
        raise Malformed("a header that is not JSON") from None
    lengths = head.pop("lengths", None) if type(head) is dict else None
    if type(lengths) is not list or any(type(n) is not int or n < 0 for n in lengths) or sum(lengths) != len(body):
        raise Malformed("a body of another length than announced")
    view, blobs, start = memoryview(body), [], 0
    for n in lengths:
        blobs.append(view[start : start + n])
        start += n
    return head, blobs
