"""A colour profile of a printer that nobody has, and how far colours are apart."""

import struct

import numpy as np

D50 = np.array((0.9642, 1.0, 0.8249))
_FROM_SRGB = np.array(  # sRGB with its white adapted to D50 (Bradford)
    ((0.4360747, 0.3850649, 0.1430804), (0.2225045, 0.7168786, 0.0606169), (0.0139322, 0.0971045, 0.7141733))
)


def lab_of(rgb):
    """CIELAB (D50) of sRGB bytes."""
    share = np.asarray(rgb, float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _FROM_SRGB.T / D50
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.stack((116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])), -1)


def delta_e(first, second):
    """How far two colours in CIELAB are apart (1976)."""
    return float(np.linalg.norm(np.asarray(first) - np.asarray(second), axis=-1).max())


def ink_lab(cyan, magenta, yellow, black):
    """What the printer's inks give, each 0 or 1: dull ones, unlike what is assumed without a profile."""
    light = 100 - 24 * cyan - 26 * magenta - 6 * yellow
    return (
        light * (1 - 0.6 * black),
        (-14 * cyan + 26 * magenta) * (1 - black),
        (-18 * cyan + 22 * yellow) * (1 - black) - 4 * black,
    )


def cmyk_profile():
    """An ICC profile (version 2, 8-bit table of 2 x 2 x 2 x 2 nodes) that says `ink_lab`."""
    identity = bytes(range(256))
    nodes = bytearray()
    for inks in np.ndindex(2, 2, 2, 2):
        light, a, b = ink_lab(*inks)
        nodes += bytes((round(light * 2.55), round(a + 128), round(b + 128)))
    matrix = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    table = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + matrix + identity * 4 + bytes(nodes) + identity * 3
    words = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"inks\0" + bytes(8 + 3 + 67)
    free = b"text\0\0\0\0none\0"
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in D50))
    tags, place, body = [], 128 + 4 + 12 * 4, b""
    for name, data in ((b"desc", words), (b"cprt", free), (b"wtpt", white), (b"A2B0", table)):
        tags.append(name + struct.pack(">II", place + len(body), len(data)))
        body += data + bytes(-len(data) % 4)
    head = bytearray(128)
    head[8:12] = b"\x02\x40\0\0"
    head[12:24] = b"prtrCMYKLab "
    head[36:40] = b"acsp"
    head[64:68] = struct.pack(">I", 1)  # colours are to be kept as they are: relative colorimetric
    head[68:80] = struct.pack(">3i", *(round(value * 65536) for value in D50))
    profile = bytes(head) + struct.pack(">I", len(tags)) + b"".join(tags) + body
    return struct.pack(">I", len(profile)) + profile[4:]
