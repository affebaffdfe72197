"""Make the PNG of a screen small: 256 colours at most, and packed as well as zlib can.

Reads only what Chromium writes: 8 bits a channel, RGB or RGBA without transparency, not interlaced.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_COLOURS = 256
DEPTH = 8
GREY_WEIGHT = 16
CHANNELS_OF = {2: 3, 6: 4}
NONE, SUB, UP, AVERAGE, PAETH = range(5)

Colour = tuple[int, ...]


def shrink(png: bytes) -> bytes:
    """Keep the colours that matter most; each other pixel gets the nearest of them."""
    width, height, pixels = _read(png)
    counted = Counter(pixels)
    palette = sorted(counted, key=lambda it: counted[it] * _weight(it), reverse=True)[:MOST_COLOURS]
    place = {colour: _nearest(colour, palette) for colour in counted}
    indexed = bytes(place[colour] for colour in pixels)
    rows = b"".join(b"\0" + indexed[at : at + width] for at in range(0, width * height, width))
    return SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, DEPTH, 3, 0, 0, 0)),
            _chunk(b"PLTE", bytes(value for colour in palette for value in colour)),
            _chunk(b"IDAT", zlib.compress(rows, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _weight(colour: Colour) -> int:
    """Small dots of a strong colour say more than the many greys at the edges of letters."""
    return GREY_WEIGHT + max(colour) - min(colour)


def _nearest(colour: Colour, palette: list[Colour]) -> int:
    return min(
        range(len(palette)),
        key=lambda at: sum((a - b) ** 2 for a, b in zip(colour, palette[at], strict=True)),
    )


def _read(png: bytes) -> tuple[int, int, list[Colour]]:
    chunks = list(_chunks(png))
    header = next(body for kind, body in chunks if kind == b"IHDR")
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != DEPTH or interlaced or kind not in CHANNELS_OF:
        raise ValueError("Only plain PNGs of 8 bits a channel can be made smaller.")
    channels = CHANNELS_OF[kind]
    data = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    raw = _unfilter(data, stride=width * channels, channels=channels)
    return width, height, list(zip(raw[0::channels], raw[1::channels], raw[2::channels]))  # noqa: B905 - equal by design


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        yield kind, png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _unfilter(data: bytes, *, stride: int, channels: int) -> bytes:
    rows, above = bytearray(), bytes(stride)
    for at in range(0, len(data), stride + 1):
        above = _row(data[at], data[at + 1 : at + 1 + stride], above, channels)
        rows += above
    return bytes(rows)


def _row(kind: int, line: bytes, above: bytes, channels: int) -> bytes:
    if kind == NONE:
        return line
    row = bytearray(line)
    for at, upper in enumerate(above):
        left = row[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        row[at] = (row[at] + _guess(kind, left, upper, corner)) & 0xFF
    return bytes(row)


def _guess(kind: int, left: int, upper: int, corner: int) -> int:
    if kind == SUB:
        return left
    if kind == UP:
        return upper
    if kind == AVERAGE:
        return (left + upper) // 2
    towards = left + upper - corner
    return min((left, upper, corner), key=lambda value: abs(towards - value))
