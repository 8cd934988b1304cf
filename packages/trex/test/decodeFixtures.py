"""Makes golden/decode: one small file a case, and what Pillow makes of each in golden/decode.safetensors.

Run it with Pillow 12.3 and numpy; the tests themselves need neither. Every picture is computed here.
"""

import base64
import io
import json
import struct
import zlib
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageOps

OUT = Path(__file__).parent / "golden" / "decode"
rng = np.random.default_rng(0)


# Pictures


def picture(width=17, height=11, channels=3):
    """Gradients, edges and noise, [height, width, channels] of 8 bits."""
    y, x = np.mgrid[0:height, 0:width]
    planes = [x * 220 / width, y * 220 / height, ((x // 4 + y // 3) % 2) * 150, (x + y) * 220 / (width + height)]
    noise = rng.integers(0, 36, (height, width, channels))
    return np.clip(np.stack(planes[:channels], 2) + noise, 0, 255).astype(np.uint8)


def picture16(width=17, height=11, channels=3):
    values = picture(width, height, channels).astype(np.uint16) << 8
    values |= rng.integers(0, 256, values.shape).astype(np.uint16)
    values[0, :9] = np.array([0, 1, 127, 128, 254, 255, 256, 257, 65535])[:, None]
    return values


def image(width=17, height=11, mode="RGB"):
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "CMYK": 4}[mode]
    return Image.frombytes(mode, (width, height), picture(width, height, channels).tobytes())


def indexed(colors, width=17, height=11):
    """Indices and a palette of `colors` entries."""
    y, x = np.mgrid[0:height, 0:width]
    indices = ((x + 2 * y + rng.integers(0, 2, (height, width))) % colors).astype(np.uint8)
    return indices, rng.integers(0, 256, (colors, 3)).astype(np.uint8)


def encode(im, format, **options):
    out = io.BytesIO()
    im.save(out, format, **options)
    return out.getvalue()


# Containers


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pack_bits(rows, depth):
    """Rows of samples below 2^depth, packed big-endian, each row from a new byte."""
    if depth == 8:
        return rows.astype(np.uint8)
    if depth == 16:
        return rows.astype(">u2").view(np.uint8)
    bits = ((rows[:, :, None] >> np.arange(depth - 1, -1, -1)) & 1).reshape(len(rows), -1)
    return np.packbits(bits.astype(np.uint8), axis=1)


def filtered(rows, step):
    """PNG scan lines, each with a filter type drawn at random."""
    out, above = b"", np.zeros(rows.shape[1], int)
    for row in rows.astype(int):
        left = np.concatenate([np.zeros(step, int), row])[: len(row)]
        corner = np.concatenate([np.zeros(step, int), above])[: len(row)]
        p = left + above - corner
        near = np.stack([abs(p - left), abs(p - above), abs(p - corner)]).argmin(0)
        paeth = np.choose(near, [left, above, corner])
        kind = int(rng.integers(0, 5))
        guess = [0, left, above, (left + above) // 2, paeth][kind]
        out += bytes([kind]) + (row - guess).astype(np.uint8).tobytes()
        above = row
    return out


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(samples, depth, kind, before=b"", after=b"", interlaced=False, idat=None):
    """`samples` is [height, width, channels]; `before` and `after` are chunks around the pixels."""
    height, width, channels = samples.shape
    step = max(1, depth * channels // 8)
    passes = ADAM7 if interlaced else [(0, 0, 1, 1)]
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in passes]
    scans = [pack_bits(part.reshape(len(part), -1), depth) for part in parts if part.size]
    data = zlib.compress(b"".join(filtered(rows, step) for rows in scans))
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    middle = b"".join(chunk(b"IDAT", part) for part in (data[:100], data[100:])) if idat is None else idat
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + middle + after + chunk(b"IEND", b"")


def tiff(tags, parts, order="<", big=False):
    """A TIFF file of one page; `tags` are (tag, type, values), `parts` its strips or tiles."""
    base = 16 if big else 8
    data, offsets = b"", []
    for part in parts:
        offsets.append(base + len(data))
        data += part + bytes(len(part) % 2)
    names = {3: "H", 4: "I", 16: "Q"}
    tiled = any(tag == 322 for tag, _, _ in tags)
    tags = [*tags, (324 if tiled else 273, 4, offsets), (325 if tiled else 279, 4, [len(p) for p in parts])]
    directory, extra = b"", b""
    room = 8 if big else 4
    after = base + len(data) + (8 + 20 * len(tags) + 8 if big else 2 + 12 * len(tags) + 4)
    for tag, kind, values in sorted(tags):
        raw = values if isinstance(values, bytes) else struct.pack(f"{order}{len(values)}{names[kind]}", *values)
        count = len(values)
        if len(raw) > room:
            extra += bytes((after + len(extra)) % 2)
            place = after + len(extra)
            extra += raw
            raw = struct.pack(order + ("Q" if big else "I"), place)
        directory += struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, count) + raw.ljust(room, b"\0")
    mark = {"<": b"II", ">": b"MM"}[order]
    if big:
        head = mark + struct.pack(order + "HHHQ", 43, 8, 0, base + len(data))
        return head + data + struct.pack(order + "Q", len(tags)) + directory + bytes(8) + extra
    head = mark + struct.pack(order + "HI", 42, base + len(data))
    return head + data + struct.pack(order + "H", len(tags)) + directory + bytes(4) + extra


def tiff_of(samples, depth, photometric, order="<", planar=1, rows=None, extra=(), more=(), kind=1, big=False):
    """Uncompressed strips of `rows` lines."""
    height, width, channels = samples.shape
    rows = rows or height
    planes = [samples] if planar == 1 else [samples[:, :, c : c + 1] for c in range(channels)]
    size = {8: "u1", 16: order + "u2", 32: order + ("f4" if kind == 3 else "i4")}
    strips = []
    for plane in planes:
        lines = plane.reshape(height, -1)
        for top in range(0, height, rows):
            part = lines[top : top + rows]
            strips.append(part.astype(size[depth]).tobytes() if depth >= 8 else pack_bits(part, depth).tobytes())
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, [depth] * channels), (259, 3, [1])]
    tags += [(262, 3, [photometric]), (277, 3, [channels]), (278, 3, [rows]), (284, 3, [planar]), *more]
    if extra:
        tags.append((338, 3, list(extra)))
    if kind != 1:
        tags.append((339, 3, [kind] * channels))
    return tiff(tags, strips, order, big)


def lzw(indices, bits):
    """GIF's LZW without compression: the table is cleared before its codes grow."""
    clear, codes = 1 << bits, []
    for at, index in enumerate(indices):
        if at % (clear - 2) == 0:
            codes.append(clear)
        codes.append(int(index))
    value = sum(code << (i * (bits + 1)) for i, code in enumerate([*codes, clear + 1]))
    return value.to_bytes((len(codes) + 1) * (bits + 1) // 8 + 1, "little")


def gif_frame(indices, bits=2, at=(0, 0), palette=None, transparent=None, interlaced=False, disposal=0):
    height, width = indices.shape
    out = b""
    if transparent is not None or disposal:
        flags = disposal << 2 | (transparent is not None)
        out += struct.pack("<BBBBHBB", 0x21, 0xF9, 4, flags, 5, transparent or 0, 0)
    flags = (0x80 | bits - 1 if palette is not None else 0) | 0x40 * interlaced
    out += b"," + struct.pack("<HHHHB", *at, width, height, flags)
    out += b"" if palette is None else palette.tobytes()
    order = [y for start, step in ((0, 8), (4, 8), (2, 4), (1, 2)) for y in range(start, height, step)]
    data = lzw((indices[order] if interlaced else indices).flatten(), max(bits, 2))
    blocks = b"".join(bytes([len(data[i : i + 255])]) + data[i : i + 255] for i in range(0, len(data), 255))
    return out + bytes([max(bits, 2)]) + blocks + b"\0"


def gif(size, frames, palette=None, background=0, loop=False):
    flags = 0 if palette is None else 0x80 | (len(palette).bit_length() - 2)
    head = b"GIF89a" + struct.pack("<HHBBB", *size, flags, background, 0)
    head += b"" if palette is None else palette.tobytes()
    netscape = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0" if loop else b""
    return head + netscape + b"".join(frames) + b";"


def exif(orientation, order="<", kind=3, count=1):
    mark = {"<": b"II*\0", ">": b"MM\0*"}[order]
    value = struct.pack(order + {1: "B3x", 3: "H2x", 4: "I"}[kind], orientation)
    entry = struct.pack(order + "HHI", 274, kind, count) + value
    return mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4)


def xmp(orientation, attribute=True):
    inner = f'tiff:Orientation="{orientation}"/>' if attribute else f"><tiff:Orientation>{orientation}</tiff:Orientation>"
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description {inner}</x:xmpmeta>'.encode()


# JPEG segments


def segments(jpeg):
    """(start, marker, end) of each segment up to the scan, which is the last."""
    at = 2
    while True:
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        yield at, marker, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length


def without(jpeg, marker):
    out = jpeg
    for start, found, end in reversed(list(segments(jpeg))):
        if found == marker:
            out = out[:start] + out[end:]
    return out


def with_segment(jpeg, marker, data):
    return jpeg[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + jpeg[2:]


def patched(data, at, value):
    return data[:at] + value + data[at + len(value) :]


def frame_at(jpeg):
    return next(start for start, marker, _ in segments(jpeg) if 0xC0 <= marker <= 0xC2)


def adobe(transform):
    return b"Adobe\0\x64\0\0\0\0" + bytes([transform])


def with_ids(jpeg, ids):
    """Renames the components in the frame and in the scan."""
    out = bytearray(jpeg)
    for start, marker, _ in segments(jpeg):
        for i, name in enumerate(ids):
            if 0xC0 <= marker <= 0xC2:
                out[start + 10 + 3 * i] = name
            if marker == 0xDA:
                out[start + 5 + 2 * i] = name
    return bytes(out)


# Layouts that Pillow does not write: a libjpeg program made them from a gradient, so that they are kept as bytes.
BY_CJPEG = {
    "440.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "ARIAAhEBAxEB/8QAGAABAQEBAQAAAAAAAAAAAAAABwAGBAX/xAAzEAABAgQCBQkJAAAAAAAAAAABAAIDBBESBiETFDFBURY0U2Fx"
        "cqGxwQUjMjOBgpLh8f/EABkBAAMBAQEAAAAAAAAAAAAAAAQFBgMHCP/EADkRAAEBAgoECwkAAAAAAAAAABEAARICAwQFBhMUMUFh"
        "IXFyoRYjJDM1QmKBkbHRMjRTZIOjssHh/9oADAMBAAIRAxEAPwAQkcMav70Qi41toW7N6ZJLDGqDSNaIlwLTa2n1TWNnyx8YyDZz"
        "oeL5yGYJyGKgZFSl4MeO5GslhgxGtmiwtNLrRwG7wTJJYZ0hbGdCBzqG9n8S+Mnus5S6/jWkXdZzsi4aRmqyRUrOh7u/qNZLDTpw"
        "UbDbDtAyGe3qTHJYcbONAfDDS3ZQVGaBjKQW3SbQPpunwJHcM1XyOlDYLWMI3o2ksP6R2qiFbTK6tTkK7uzimeQw7eNUsoKBpdTZ"
        "TgOuiXRlJazk1a/hVAXdV/si/EZqtkdKQIRGZRLyLd0jfBMfI53SD8f2s7d8n9xOOFbfiblmvZXzmd13mFJNRv3yHs+i8JSLDX+l"
        "7Erzx3c9QpDTp08zageUFVk3cwtKz4fud5BSFppfEam+cFWE2e34LQN5g3uegUs5d0EzZi/yYqqQ88zX6rlUufqqX//Z"
    ),
    "411.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "AUEAAhEBAxEB/8QAGAABAQEBAQAAAAAAAAAAAAAAAAUEBgf/xAAzEAABAgQCBQkJAAAAAAAAAAABAAIDBBESBiETFDFBURY0U2Fx"
        "cqGxwQUjMjOBgpLh8f/EABgBAAMBAQAAAAAAAAAAAAAAAAUHCAQG/8QALhEAAQEEBwUJAAAAAAAAAAAAEQABAgXwBAYSFUFhoRMi"
        "MVPCMjNRgpGSsuHi/9oADAMBAAIRAxEAPwDxCRwxq/vRCLjW2hbs3q1JYYMRrZosLTS60cBu8FaksNOnBRsNsO0DIZ7epWpLD+kd"
        "qohW0yurU5Cu7s4o1Eabsi4TZ6dzW2cgMSzqqlxU2WmeK28i3dI3wREQO43ea32/pNm/859VpksMaoNI1oiXAtNrafVWpLDOkLYz"
        "oQOdQ3s/isyWHGzjQHww0t2UFRmr0hh28apZQUDS6mynAddEDiNO2RcPZ6dzW2cgMSpdqZFCGmeK08jndIPx/aIiB3G3m6fab19N"
        "kLmvZXzmd13mFYleeO7nqF0rPh+53kF0DeYN7noFlpvdOeX4Pqeal4T4LKiIlqnYv//Z"
    ),
    "410.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "AUIAAhEBAxEB/8QAGAABAQEBAQAAAAAAAAAAAAAAAAUGBwT/xAAzEAABAgQCBQkJAAAAAAAAAAABAAIDBBESBiETFDFBURY0U2Fx"
        "cqGxwQUjMjOBgpLh8f/EABkBAAEFAAAAAAAAAAAAAAAAAAcCAwUGCP/EACwRAAADBQIPAAAAAAAAAAAAAAAREgECBjFBBAUUFiEi"
        "MjNRU2FkgqGjsvD/2gAMAwEAAhEDEQA/AOISOGNX96IRca20Ldm9WpLDBiNbNFhaaXWjgN3grUlhp04KNhth2gZDPb1K1JYf0jtV"
        "EK2mV1anIV3dnFVpLDGqDSNaIlwLTa2n1VqSwzpC2M6EDnUN7P4rMlhxs40B8MNLdlBUZq9IYdvGqWUFA0upspwHXRJvG/0myRUm"
        "RZJ1SaOKlUDsFxTo5w5LyLd0jfBERdj5HO6Qfj+0RFB4dyfkBdxrbvOwzXsr5zO67zCsSvPHdz1C0rPh+53kFoG8wb3PQIiIqzbd"
        "U50+j4ytBdPtg8qIiIiIag2D/9k="
    ),
    "chroma-2x1.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "ASIAAiEBAyEB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAUHBgT/xAAzEAABAgQCBQkJAAAAAAAAAAABAAIDBBESBiETFDFBURY0U2Fx"
        "cqGxwQUjMjOBgpLh8f/EABoBAAIDAQEAAAAAAAAAAAAAAAUGAAMEBwj/xAA5EQABAQIKBAsJAAAAAAAAAAARAAESAgMEBQYTFDFB"
        "YSFxcqEWIyQzNUJigZGx0TI0U2SDo7LB4f/aAAwDAQACEQMRAD8AiEjhjV/eiEXGttC3ZvTqSwwYjWzRYWml1o4Dd4KlSWGNUGka"
        "0RLgWm1tPqnUlhnSFsZ0IHOob2fxFY2fLHxjINnOh4vnIZgnIYofGT3WcpdfxrSLus52RcNIzSDIqUvBjx3JskVKzoe7v6prJYad"
        "OCjYbYdoGQz29SdSWH9I7VRCtpldWpyFd3ZxVJksONnGgPhhpbsoKjNPpDDt41SygoGl1NlOA66LDGUgtuk2gfTdPgSO4ZodGUlr"
        "OTVr+FUBd1X+yL8Rmm+R0obBaxhG9NsjpSBCIzKkvIt3SN8EKx8jndIPx/aFXbvk/uKIxwrb8Tcos17K+czuu8wnErzx3c9QhCDU"
        "b98h7Pos06dPM2oHlBXhKRYa/wBJsm7mFpWfD9zvILQN5g3uegQhZaaXxGpvnBVcu6CZsxf5MThNnt+CapDzzNfquVCELn6ialF/"
        "/9k="
    ),
    "mixed-chroma.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "ASIAAiEBAxIB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAUHBgT/xAAzEAABAgQCBQkJAAAAAAAAAAABAAIDBBESBiETFDFBURY0U2Fx"
        "cqGxwQUjMjOBgpLh8f/EABoBAAIDAQEAAAAAAAAAAAAAAAAHAwQFCAb/xAA2EQABAQQHAwgLAAAAAAAAAAARAAECBTEDBhITFCFh"
        "QXFyFSQ1QmKRsfAEIzI0ZIGDo7LB0f/aAAwDAQACEQMRAD8AiEjhjV/eiEXGttC3ZvTqSwwYjWzRYWml1o4Dd4KlSWGNUGka0RLg"
        "Wm1tPqnUlhnSFsZ0IHOob2fxatLHMH6xjuHOVo2zoNQToNqz6SN3nObNvbekS61jsiQzGqjgsWLGPGeSW8Gixax46KayWGnTgo2G"
        "2HaBkM9vUnUlh/SO1UQraZXVqchXd2cVSZLDjZxoD4YaW7KCozT6Qw7eNUsoKBpdTZTgOuio0lYMbmcQPp2T3Ej5DVZ1JWW85te2"
        "9l0BLq2+yJ7Rquo4LFJMMs0t4NEmMDDJSXkW7pG+CFY+RzukH4/tCjx3wf3EJ6cv6+e9LvlpvkLNeyvnM7rvMJxK88d3PUIQsarf"
        "vj/D/FWinTzOJzwdXJcFmzc39IWlZ8P3O8gtA3mDe56BCFVrpOg3N8XVH6d0Ezho/wAmJtwX2XN6FyoQhL9C9+hf/9k="
    ),
    "luma-subsampled.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "AREAAiIBAyIB/8QAFwAAAwEAAAAAAAAAAAAAAAAAAwUGB//EACgQAAADBQYHAAAAAAAAAAAAAAABEQIDBRIhBAcxMmFyFzNBUVWT"
        "sf/EABsBAQEAAwADAAAAAAAAAAAAAAAGBAUHAgMI/8QAPREAAAMEAwkOBgMAAAAAAAAAAAERAwUSMQIEIRMVIjJBUWFykQYUFiQl"
        "MzVTcYGCobHRIzRSkrLwweHi/9oADAMBAAIRAxEAPwCPg122Vg7LUqyJhqosWzUtz/GTpxrgpKds7c2bLoGvatSrfK0SJhQzxMi2"
        "TTNZpEs1bXh4zFGuCkp26c2b2GA0bUq1ytEiYUM8TJEuVM3cNLUnvdSIjMVtTeqfDPaOFVN7XVKKogq6g9iIoFFrBbt5jZaJys1J"
        "kz6J07CqaPHhEc4Ln4li2IkPf666m+99FepETBi1LVRMqSWwTDV48ILVgufiVdn0+Y1zR+b75KREwYp4mWHSklsWY7tU3sTIiUxY"
        "VN5Qo0XuHCam87lSmqirqbyKiRUyMOOGZeLa9gtLx0etP7f9AIe8Z9b5f2A6/f8A0/u0Bzu/R/qAHMH5TveXwee5v5ynq+wxnp08"
        "WtQ9KIAPjWpZO3+BWO7mAAaDBcH+whi7tJsOw/WiPXXugi1Wf5EACwdmPsFVUeeLt9wAGHPwABVAAD//2Q=="
    ),
    "arithmetic.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/yQARCAARACED"
        "ASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/ANGWrcOq+7RWdvd8CJBX5yFoF6XJa1vsJYY5PzPHbgjBPoC4hm5R"
        "2gzl0KClUHeFdC0Rk3nhhN4CfcUTxh+Lru2JyjWAZKX9fgttVJMt+8diCkY7xHZgh8okVnulLUHFv7Fx8w4nGBZpEQlp+2AwtRck"
        "QGWSAeNoxu6kiiygFo4CiheR+rMrIKVvucB5AFNBr0vVcFgD4F5vwo5hK77cQIF7sjW3R9c1OjXbB50lmxWT06pSyFGv6qSlySZQ"
        "OXUcesmeRuiOPlR0331GB4QyuYe1BseUwYGLDTgOJyFIAhvBHc6FA7tTvWgJZWN7rxoetaiX5dCW6K6k/jS5JZgWxHb27SYbmao4"
        "0GILqmgieC5lvlovjv/Z"
    ),
    "arithmetic-progressive.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/ygARCAARABQD"
        "AREAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf8ApbTiH9bOsai1SgvhOkA7D3qS0C5EMG/+x/UH/NVHWWD/zAAEEAX/2gAI"
        "AQEAAQUCGuXeKbTfxeOecf5b8fkosxz6kP/MAAQRBf/aAAgBAwEBPwEVp1zQcmQGrzPTA3QOfw25wrSfntdybp8m/8wABBEF/9oA"
        "CAECAQE/AT3oY/6dWqPGysfvjrkPzVXn+2vLI9RsJ5o3oy9Ss7RDP2ePckluZuRDRmhVHGhg/8wABBAF/9oACAEBAAY/Ank7vd/B"
        "2xeJMFtGMP/MAAQQBf/aAAgBAQABPyFROwZyTMsaHfZdb0yLiaaw0eosB3PBYd0FSP/aAAwDAQACAAMAAAAQzPbz8P/MAAQRBf/a"
        "AAgBAwEBPxBKjOQ8gLOfKV3grDVM4XAKoBO7g5nX15nvkP/MAAQRBf/aAAgBAgEBPxD3lFaOb/2okhfcp1zhE7BnzZ/aCeUqZkxM"
        "GLwT92YTuw3WGtuhGmzhuUODHCDjPED/zAAEEAX/2gAIAQEAAT8Qrns3uNimdF5cTkhSoxgnbra2hZ9UdoQmqtj/AC7Zjac5w0ut"
        "UulMEEmwZxfhHEOAtwV7QP/Z"
    ),
    "422-restart.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wAARCAARACED"
        "ASEAAhEBAxEB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAUGBAf/xAAzEAABAgQCBQkJAAAAAAAAAAABAAIDBBESBiETFDFBURY0U2Fx"
        "cqGxwQUjMjOBgpLh8f/EABoBAAEFAQAAAAAAAAAAAAAAAAYCBAUHCAP/xAA6EQAAAwMFCwoHAAAAAAAAAAAAARECBTEEFSFBUQMT"
        "IiMkQlJTYXGBEhQlMjM0NXPB8FSRkqHC4eL/3QAEAAL/2gAMAwEAAhEDEQA/AOISOGNX96IRca20Ldm9OpLDBiNbNFhaaXWjgN3g"
        "imU3UmOj+Ut7xi27E4xXgObleykTSxoDqSw06cFGw2w7QMhnt6k6ksP6R2qiFbTK6tTkK7uzioCUva+ZT8RgJo5qrXalFgttyvSB"
        "LCkf/9BXyLd0jfBCTMbOtP6f6Gg5/wBvv5jTJYY1QaRrREuBabW0+qdSWGdIWxnQgc6hvZ/EylN2NjICa7PGLalSVRivAYwcz2Uy"
        "aXYP/9GoksONnGgPhhpbsoKjNPpDDt41SygoGl1NlOA66IRlL2vmUQ5xgJo5qrXalFih+5nkRISwGnkc7pB+P7Qmcxnrft+wYT0f"
        "tB//0qr2V85ndd5hOJXnju56hAbfhdy80vUUU5YluP0FKz4fud5BUDeYN7noFHy7vst8v8SFtuXqsbx//9PvqFnEEo//2Q=="
    ),
    "420-progressive-restart.jpg": (
        "/9j/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEYGh0dHx8fExciJCIeJBweHx7/2wBD"
        "AQUFBQcGBw4ICA4eFBEUHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh7/wgARCAARACED"
        "ASIAAhEBAxEB/8QAGAAAAwEBAAAAAAAAAAAAAAAAAAQGBQP/xAAXAQADAQAAAAAAAAAAAAAAAAADBQYE/90ABAAD/9oADAMBAAIQ"
        "AxAAAAGHdpXTK5p2lfwVskWIFv8A/9DVcBDCaWgGeu5ATz//xAAdEAADAAICAwAAAAAAAAAAAAAAAgQREgMUMTJC/9oACAEBAAEF"
        "Akm1EmyJNuf/0EnydISbU//RSbIk+4k5/9LpnF5X3//TPg//xAAcEQACAQUBAAAAAAAAAAAAAAAABAUBEBUxYWL/2gAIAQMBAT8B"
        "TleicoZX0f/QSEtUt//EACgRAAADAwwDAAAAAAAAAAAAAAADEUFRYQECBAUQEzEzNEJywVJjov/aAAgBAgEBPwEynbEijor0DKxa"
        "uLfKEHC/9P0P/9CXSzeQPzjuPVn/xAAYEAADAQEAAAAAAAAAAAAAAAAAETESEP/aAAgBAQAGPwJo0RH/0Moo6f/RaIZP/9K9/9Pv"
        "/8QAHxAAAgIBBQEBAAAAAAAAAAAAAAERMSFBUWFxgRDx/9oACAEBAAE/Id8aUQlGNYGUSB//0JFXJLYUyyxhH//Rwn8CUzCCevEn"
        "/9KX4KemXdH/01XrFXr5/9oADAMBAAIAAwAAABD7E3//0AfPf//EAB4RAAEEAQUAAAAAAAAAAAAAAAABETGhECFxwdHx/9oACAED"
        "AQE/EIrDbaxXY7wf/9CSbLwWcf/EACERAAEDAQkAAAAAAAAAAAAAAEEAEBGhITFRYYHB0eHw/9oACAECAQE/EIgQXtclOe6GGxW1"
        "Yf/Qpe682Rv/xAAhEAABAwQCAwEAAAAAAAAAAAABABEhMVFh8EFxEIGh8f/aAAgBAQABPxCimTwNHKOQMmgsOPiGMwBAmuF//9CI"
        "RRJzAfjq60Am7BglB7X/0XgEy46fiGAIqGDiU1phgTKNYZZf/9LE12tpcLRyF//T2MBauB4//9k="
    ),
}

# Cases

cases = {}


def jpeg_cases():
    photo = image(33, 17)
    subsamplings = {"444": 0, "422": 1, "420": 2}
    for name, value in subsamplings.items():
        cases[f"{name}.jpg"] = encode(photo, "JPEG", subsampling=value, quality=90)
    for width, height in ((1, 1), (7, 5), (8, 8), (16, 16), (17, 33), (2, 40)):
        cases[f"{width}x{height}.jpg"] = encode(image(width, height), "JPEG", subsampling=2, quality=80)
    cases["progressive.jpg"] = encode(photo, "JPEG", progressive=True, subsampling=2, quality=60)
    cases["progressive-444.jpg"] = encode(photo, "JPEG", progressive=True, subsampling=0, quality=95)
    cases["restart.jpg"] = encode(photo, "JPEG", restart_marker_blocks=1)
    cases["restart-rows.jpg"] = encode(photo, "JPEG", restart_marker_rows=1)
    cases["quality-1.jpg"] = encode(photo, "JPEG", quality=1)
    cases["quality-100.jpg"] = encode(photo, "JPEG", quality=100, subsampling=0)
    grey = encode(image(33, 17, "L"), "JPEG")
    cases["grey.jpg"] = grey
    cases["grey-progressive.jpg"] = encode(image(20, 20, "L"), "JPEG", progressive=True)
    for name, data in BY_CJPEG.items():
        cases[name] = base64.b64decode(data)
    cases["icc.jpg"] = encode(photo, "JPEG", icc_profile=bytes(200) + b"acsp" + bytes(300))
    full = cases["444.jpg"]
    cases["trailing-garbage.jpg"] = full + bytes(range(256))
    cases["two-images.jpg"] = full + encode(image(9, 9), "JPEG")
    cases["thumbnail.jpg"] = with_segment(full, 0xE1, b"Exif\0\0" + exif(1) + encode(image(8, 8), "JPEG"))
    cases["fill-bytes.jpg"] = full[:2] + b"\xff\xff\xff" + full[2:]
    cases["16-bit-tables.jpg"] = sixteen_bit_tables(full)
    bare = without(full, 0xE0)
    cases["no-jfif.jpg"] = bare
    cases["adobe-rgb.jpg"] = with_segment(bare, 0xEE, adobe(0))
    cases["adobe-ycc.jpg"] = with_segment(bare, 0xEE, adobe(1))
    cases["adobe-odd-transform.jpg"] = with_segment(bare, 0xEE, adobe(7))
    cases["jfif-and-adobe-rgb.jpg"] = with_segment(full, 0xEE, adobe(0))
    cases["ids-rgb.jpg"] = with_ids(bare, b"RGB")
    cases["ids-012.jpg"] = with_ids(bare, b"\x00\x01\x02")
    cases["jfif-ids-rgb.jpg"] = with_ids(full, b"RGB")
    cases["keep-rgb.jpg"] = encode(photo, "JPEG", keep_rgb=True)
    cmyk = encode(image(33, 17, "CMYK"), "JPEG", quality=90)
    cases["cmyk.jpg"] = cmyk
    bare_cmyk = without(cmyk, 0xEE)
    cases["cmyk-no-adobe.jpg"] = bare_cmyk
    cases["ycck.jpg"] = with_segment(bare_cmyk, 0xEE, adobe(2))
    cases["cmyk-adobe-late.jpg"] = bare_cmyk[: frame_at(bare_cmyk)] + with_segment(b"\xff\xd8", 0xEE, adobe(2))[2:] + bare_cmyk[frame_at(bare_cmyk) :]
    cases["cmyk-short-adobe.jpg"] = with_segment(bare_cmyk, 0xEE, b"Adobe\0\x64")
    cases["cmyk-progressive.jpg"] = encode(image(20, 17, "CMYK"), "JPEG", progressive=True)
    cases["cmyk-icc.jpg"] = encode(image(16, 8, "CMYK"), "JPEG", icc_profile=bytes(200) + b"acsp" + bytes(300))
    ramp = np.stack([np.tile(np.arange(0, 256, 5), 5), np.repeat(np.arange(0, 256, 52), 52)[:260]], 1)
    inks = np.concatenate([ramp, ramp[::-1]], 1).reshape(10, 26, 4).astype(np.uint8)
    cases["cmyk-lossless-ish.jpg"] = encode(Image.frombytes("CMYK", (26, 10), inks.tobytes()), "JPEG", quality=100)
    small = encode(image(7, 5), "JPEG")
    for orientation in range(10):
        cases[f"exif-{orientation}.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + exif(orientation))
    cases["exif-big-endian.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + exif(6, ">"))
    cases["exif-long.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + exif(6, kind=4))
    cases["exif-byte.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + exif(6, kind=1))
    cases["exif-two-values.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + exif(6, count=2))
    cases["exif-truncated.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + exif(6)[:12])
    cases["exif-none.jpg"] = with_segment(small, 0xE1, b"Exif\0\0" + b"II*\0" + struct.pack("<IH", 8, 0) + bytes(4))
    for name, attribute in (("attribute", True), ("element", False)):
        packet = b"http://ns.adobe.com/xap/1.0/\0" + xmp(8, attribute)
        cases[f"xmp-{name}.jpg"] = with_segment(small, 0xE1, packet)
    both = with_segment(small, 0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(8))
    cases["exif-before-xmp.jpg"] = with_segment(both, 0xE1, b"Exif\0\0" + exif(3))
    cases["exif-cmyk.jpg"] = with_segment(cases["cmyk-icc.jpg"], 0xE1, b"Exif\0\0" + exif(6))
    cases["exif-grey.jpg"] = with_segment(encode(image(7, 5, "L"), "JPEG"), 0xE1, b"Exif\0\0" + exif(5))
    # Refused by either
    frame = frame_at(full)
    cases["bad-12-bit.jpg"] = patched(full, frame + 4, b"\x0c")
    cases["bad-lossless.jpg"] = patched(full, frame + 1, b"\xc3")
    cases["bad-two-components.jpg"] = patched(full, frame + 9, b"\x02")
    cases["bad-huge.jpg"] = patched(full, frame + 5, b"\xff\xff\xff\xff")
    cases["bad-zero-width.jpg"] = patched(full, frame + 7, b"\0\0")
    cases["bad-zero-height.jpg"] = patched(full, frame + 5, b"\0\0")
    cases["bad-no-scan.jpg"] = full[: list(segments(full))[-1][0]] + b"\xff\xd9"
    cases["bad-no-huffman.jpg"] = without(full, 0xC4)
    cases["bad-leading-junk.jpg"] = b"junk" + full
    scan = list(segments(full))[-1][2]
    for at in (3, 40, 200):
        cases[f"corrupt-scan-{at}.jpg"] = patched(full, scan + at, b"\x13\x57\x9b")
    cases["corrupt-marker.jpg"] = patched(full, scan + 60, b"\xff\x55")
    cases["corrupt-early-eoi.jpg"] = patched(full, scan + 60, b"\xff\xd9")
    cases["corrupt-restart.jpg"] = cases["restart.jpg"].replace(b"\xff\xd1", b"\xff\xd3", 1)


def sixteen_bit_tables(jpeg):
    """The same quantisation tables with 16 bits an entry."""
    out = jpeg
    for start, marker, end in reversed(list(segments(jpeg))):
        if marker != 0xDB:
            continue
        tables, body = jpeg[start + 4 : end], b""
        for at in range(0, len(tables), 65):
            body += bytes([tables[at] | 0x10]) + np.frombuffer(tables[at + 1 : at + 65], np.uint8).astype(">u2").tobytes()
        out = out[:start] + b"\xff\xdb" + struct.pack(">H", len(body) + 2) + body + out[end:]
    # Baseline frames allow 8 bits only.
    return patched(out, frame_at(out) + 1, b"\xc1")


def png_cases():
    kinds = {"grey": (0, 1), "rgb": (2, 3), "grey-alpha": (4, 2), "rgba": (6, 4)}
    for name, (kind, channels) in kinds.items():
        for depth in (8, 16):
            samples = picture(channels=channels) if depth == 8 else picture16(channels=channels)
            cases[f"{name}-{depth}.png"] = png(samples, depth, kind)
            cases[f"{name}-{depth}-interlaced.png"] = png(samples, depth, kind, interlaced=True)
    for depth in (1, 2, 4):
        samples = picture(channels=1) >> (8 - depth)
        cases[f"grey-{depth}.png"] = png(samples, depth, 0)
        cases[f"grey-{depth}-interlaced.png"] = png(samples, depth, 0, interlaced=True)
        cases[f"grey-{depth}-trns.png"] = png(samples, depth, 0, chunk(b"tRNS", b"\0\1"))
    for depth in (1, 2, 4, 8):
        colors = min(1 << depth, 200)
        indices, palette = indexed(colors)
        plte, trns = chunk(b"PLTE", palette.tobytes()), chunk(b"tRNS", bytes([0, 100, 255, 7][:colors]))
        cases[f"palette-{depth}.png"] = png(indices[:, :, None], depth, 3, plte)
        cases[f"palette-{depth}-trns.png"] = png(indices[:, :, None], depth, 3, plte + trns)
        cases[f"palette-{depth}-interlaced.png"] = png(indices[:, :, None], depth, 3, plte + trns, interlaced=True)
    indices, palette = indexed(16)
    cases["palette-short.png"] = png(indices[:, :, None], 4, 3, chunk(b"PLTE", palette[:9].tobytes()))
    cases["palette-one-shade.png"] = png(indices[:, :, None], 4, 3, chunk(b"PLTE", (palette // 4 * 0 + np.arange(16)[:, None]).astype(np.uint8).tobytes()))
    rgb, rgb16, grey, grey16 = picture(), picture16(), picture(channels=1), picture16(channels=1)
    key = struct.pack(">3H", *map(int, rgb[3, 3]))
    cases["rgb-trns.png"] = png(rgb, 8, 2, chunk(b"tRNS", key))
    cases["rgb-16-trns.png"] = png(rgb16, 16, 2, chunk(b"tRNS", struct.pack(">3H", *map(int, rgb16[3, 3]))))
    cases["grey-trns.png"] = png(grey, 8, 0, chunk(b"tRNS", struct.pack(">H", int(grey[3, 3, 0]))))
    cases["grey-16-trns.png"] = png(grey16, 16, 0, chunk(b"tRNS", struct.pack(">H", int(grey16[3, 3, 0]))))
    cases["rgb-suggested-palette.png"] = png(rgb, 8, 2, chunk(b"PLTE", palette.tobytes()))
    gama, srgb = chunk(b"gAMA", struct.pack(">I", 100000)), chunk(b"sRGB", b"\0")
    chrm = chunk(b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
    iccp = chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(200) + b"acsp" + bytes(300)))
    cases["rgb-gama.png"] = png(rgb, 8, 2, gama + chrm)
    cases["rgb-srgb.png"] = png(rgb, 8, 2, srgb)
    cases["rgb-iccp.png"] = png(rgb, 8, 2, iccp)
    cases["rgb-16-gama.png"] = png(rgb16, 16, 2, gama)
    cases["grey-gama.png"] = png(grey, 8, 0, gama + chunk(b"sBIT", b"\5") + chunk(b"bKGD", b"\0\x80"))
    cases["rgb-text.png"] = png(rgb, 8, 2, chunk(b"tEXt", b"Comment\0hello") + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 99)), chunk(b"tIME", bytes([7, 230, 1, 1, 0, 0, 0])))
    cases["1x1.png"] = png(picture(1, 1), 8, 2)
    cases["1x1-interlaced.png"] = png(picture(1, 1), 8, 2, interlaced=True)
    cases["3x2-interlaced.png"] = png(picture(3, 2), 8, 2, interlaced=True)
    cases["apng.png"] = encode(image(9, 7), "PNG", save_all=True, append_images=[image(9, 7)])
    cases["apng-default-image.png"] = encode(image(9, 7), "PNG", save_all=True, append_images=[image(9, 7)], default_image=True)
    small = picture(7, 5)
    for orientation in (1, 3, 6):
        cases[f"exif-{orientation}.png"] = png(small, 8, 2, chunk(b"eXIf", exif(orientation)))
    cases["exif-after.png"] = png(small, 8, 2, after=chunk(b"eXIf", exif(8)))
    raw = b"Exif\0\0" + exif(6)
    profile = b"\nexif\n%8d\n" % len(raw) + raw.hex().encode() + b"\n"
    cases["exif-raw-profile.png"] = png(small, 8, 2, chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)))
    cases["xmp.png"] = png(small, 8, 2, chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(6)))
    cases["trailing-garbage.png"] = png(small, 8, 2) + bytes(50)
    # Refused by either
    whole = cases["rgb-8.png"]
    idat = whole.index(b"IDAT")
    cases["bad-crc-header.png"] = patched(whole, 29, b"\0\0\0\0")
    cases["bad-crc-pixels.png"] = patched(whole, idat + 104, b"\0\0\0\0")
    cases["bad-crc-palette.png"] = patched(cases["palette-4.png"], cases["palette-4.png"].index(b"PLTE") + 4 + 48, b"\0\0\0\0")
    cases["bad-crc-gama.png"] = patched(cases["rgb-gama.png"], cases["rgb-gama.png"].index(b"gAMA") + 8, b"\0\0\0\0")
    cases["bad-crc-end.png"] = patched(whole, len(whole) - 4, b"\0\0\0\0")
    cases["bad-crc-after.png"] = patched(cases["exif-after.png"], len(cases["exif-after.png"]) - 16, b"\0\0\0\0")
    cases["bad-no-palette.png"] = png(indices[:, :, None], 4, 3)
    cases["bad-depth.png"] = png(rgb, 8, 2)[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 17, 11, 5, 2, 0, 0, 0)) + whole[33:]
    cases["bad-kind.png"] = whole[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 17, 11, 8, 5, 0, 0, 0)) + whole[33:]
    cases["bad-no-pixels.png"] = png(rgb, 8, 2, idat=b"")
    short = zlib.compress(b"".join([b"\0" + row.tobytes() for row in rgb[:9]]))
    cases["bad-few-rows.png"] = png(rgb, 8, 2, idat=chunk(b"IDAT", short))
    long = zlib.compress(b"".join([b"\0" + row.tobytes() for row in np.concatenate([rgb, rgb])]))
    cases["more-rows.png"] = png(rgb, 8, 2, idat=chunk(b"IDAT", long))
    cases["bad-filter.png"] = png(rgb, 8, 2, idat=chunk(b"IDAT", zlib.compress(b"".join([b"\7" + row.tobytes() for row in rgb]))))
    cases["bad-deflate.png"] = png(rgb, 8, 2, idat=chunk(b"IDAT", b"\x78\x9c" + bytes(range(99, 199))))
    good = zlib.compress(b"".join([b"\0" + row.tobytes() for row in rgb]))
    cases["bad-adler.png"] = png(rgb, 8, 2, idat=chunk(b"IDAT", good[:-4] + b"\1\2\3\4"))
    huge = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 2, 0, 0, 0)
    cases["bad-huge.png"] = whole[:8] + chunk(b"IHDR", huge) + whole[33:]
    zero = struct.pack(">IIBBBBB", 0, 11, 8, 2, 0, 0, 0)
    cases["bad-zero-width.png"] = whole[:8] + chunk(b"IHDR", zero) + whole[33:]
    cases["bad-unknown-critical.png"] = png(rgb, 8, 2, chunk(b"ABCD", b"hello"))
    cases["no-end.png"] = whole[:-12]


def webp_cases():
    cases["lossy.webp"] = encode(image(33, 17), "WEBP", quality=70)
    cases["lossy-1x1.webp"] = encode(image(1, 1), "WEBP")
    cases["lossless.webp"] = encode(image(), "WEBP", lossless=True)
    cases["lossy-alpha.webp"] = encode(image(mode="RGBA"), "WEBP", quality=70)
    cases["lossless-alpha.webp"] = encode(image(mode="RGBA"), "WEBP", lossless=True, exact=True)
    frames = [image(12, 9, "RGBA") for _ in range(3)]
    cases["animated.webp"] = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    frames = [image(12, 9) for _ in range(3)]
    cases["animated-lossy.webp"] = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    cases["animated-offset.webp"] = animated_webp(image(8, 6, "RGBA"), (20, 14), (4, 6))
    cases["exif-6.webp"] = encode(image(7, 5), "WEBP", lossless=True, exif=b"Exif\0\0" + exif(6))
    cases["exif-bare-3.webp"] = encode(image(7, 5), "WEBP", lossless=True, exif=exif(3))
    cases["xmp.webp"] = encode(image(7, 5), "WEBP", lossless=True, xmp=xmp(6))
    cases["icc.webp"] = encode(image(7, 5), "WEBP", lossless=True, icc_profile=bytes(200) + b"acsp" + bytes(300))


def animated_webp(frame, canvas, at):
    """One frame smaller than its canvas."""
    still = encode(frame, "WEBP", lossless=True, exact=True)
    start = still.index(b"VP8L")
    length = struct.unpack("<I", still[start + 4 : start + 8])[0]
    body = still[start : start + 8 + length + length % 2]
    size = lambda n: struct.pack("<I", n)[:3]
    anmf = size(at[0] // 2) + size(at[1] // 2) + size(frame.width - 1) + size(frame.height - 1) + size(100) + b"\2" + body
    part = lambda name, data: name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
    vp8x = part(b"VP8X", b"\x12\0\0\0" + size(canvas[0] - 1) + size(canvas[1] - 1))
    inside = b"WEBP" + vp8x + part(b"ANIM", bytes([30, 60, 90, 255]) + b"\0\0") + part(b"ANMF", anmf)
    return b"RIFF" + struct.pack("<I", len(inside)) + inside


def gif_cases():
    indices, palette = indexed(4, 18, 14)
    other = indexed(4)[1]
    small = indices[:6, :8]
    size = (18, 14)
    cases["global.gif"] = gif(size, [gif_frame(indices)], palette)
    cases["local.gif"] = gif(size, [gif_frame(indices, palette=other)])
    cases["local-over-global.gif"] = gif(size, [gif_frame(indices, palette=other)], palette)
    cases["interlaced.gif"] = gif(size, [gif_frame(indices, interlaced=True)], palette)
    cases["transparent.gif"] = gif(size, [gif_frame(indices, transparent=2)], palette)
    cases["transparent-interlaced.gif"] = gif(size, [gif_frame(indices, transparent=0, interlaced=True)], palette)
    cases["transparent-local.gif"] = gif(size, [gif_frame(indices, transparent=1, palette=other)], palette)
    for name, transparent in (("", None), ("-transparent", 3)):
        cases[f"smaller{name}.gif"] = gif(size, [gif_frame(small, at=(5, 3), transparent=transparent)], palette, background=2)
        cases[f"smaller{name}-local.gif"] = gif(size, [gif_frame(small, at=(5, 3), transparent=transparent, palette=other)], palette, background=1)
    cases["smaller-interlaced.gif"] = gif(size, [gif_frame(small, at=(5, 3), interlaced=True)], palette)
    cases["larger.gif"] = gif((9, 20), [gif_frame(indices)], palette)
    cases["beyond.gif"] = gif(size, [gif_frame(indices, at=(4, 2))], palette)
    cases["no-palette.gif"] = gif(size, [gif_frame(indices)])
    cases["no-palette-transparent.gif"] = gif(size, [gif_frame(indices, transparent=1)])
    greys = np.repeat(np.arange(4, dtype=np.uint8)[:, None], 3, 1)
    cases["grey-palette.gif"] = gif(size, [gif_frame(indices)], greys)
    cases["grey-local-palette.gif"] = gif(size, [gif_frame(indices, palette=greys)], palette)
    frames = [gif_frame(indices), gif_frame(3 - indices, transparent=0), gif_frame(small, at=(2, 2))]
    cases["animated.gif"] = gif(size, frames, palette, loop=True)
    for disposal in (1, 2, 3):
        first = gif_frame(small, at=(3, 3), transparent=1, disposal=disposal)
        cases[f"disposal-{disposal}.gif"] = gif(size, [first, gif_frame(indices)], palette)
    many, colors = indexed(250, 40, 30)
    full = np.concatenate([colors, np.zeros((6, 3), np.uint8)])
    cases["colors-256.gif"] = gif((40, 30), [gif_frame(many, 8)], full)
    two, colors = indexed(2, 18, 14)
    cases["colors-2.gif"] = gif(size, [gif_frame(two, 1)], colors)
    over = gif_frame(indices, 4)
    cases["index-beyond-palette.gif"] = gif(size, [gif_frame((indices * 5).astype(np.uint8), 4)], palette)
    cases["palette-4-bits-16.gif"] = gif(size, [over], palette)
    for name, interlaced in (("", 0), ("-interlaced", 1)):
        cases[f"by-pillow{name}.gif"] = encode(image(60, 45).quantize(64), "GIF", interlace=interlaced)
    cases["by-pillow-grey.gif"] = encode(image(mode="L"), "GIF")
    runs = Image.fromarray(np.repeat(np.arange(0, 240, 12, dtype=np.uint8)[:, None], 120, 1)).quantize(8)
    cases["by-pillow-runs.gif"] = encode(runs, "GIF")
    cases["comment.gif"] = encode(image().quantize(8), "GIF", comment=b"x" * 300)
    cases["87a.gif"] = b"GIF87a" + cases["global.gif"][6:]
    cases["no-trailer.gif"] = cases["global.gif"][:-1]
    cases["trailing-garbage.gif"] = cases["global.gif"] + bytes(range(99))
    # Refused by either
    whole = cases["global.gif"]
    cases["bad-no-frame.gif"] = whole[:25] + b";"
    cases["bad-code-size.gif"] = patched(whole, 35, b"\x0d")
    cases["corrupt-codes.gif"] = patched(cases["by-pillow.gif"], len(cases["by-pillow.gif"]) - 300, b"\xff" * 40)
    cases["early-end.gif"] = gif(size, [gif_frame(indices)[:11] + b"\x04" + lzw([1, 2, 3], 2)[:4] + b"\0"], palette)
    cases["bad-huge.gif"] = patched(whole, 6, b"\xff\xff\xff\xff")
    cases["bad-zero-width.gif"] = patched(whole, 6, b"\0\0")


def tiff_cases():
    for order, name in (("<", "le"), (">", "be")):
        cases[f"grey-{name}.tif"] = tiff_of(picture(channels=1), 8, 1, order)
        cases[f"rgb-{name}.tif"] = tiff_of(picture(), 8, 2, order)
        cases[f"rgb-planar-{name}.tif"] = tiff_of(picture(), 8, 2, order, planar=2, rows=4)
        cases[f"grey-16-{name}.tif"] = tiff_of(picture16(channels=1), 16, 1, order)
        cases[f"rgb-16-{name}.tif"] = tiff_of(picture16(), 16, 2, order)
        cases[f"cmyk-{name}.tif"] = tiff_of(picture(channels=4), 8, 5, order)
        indices, palette = indexed(256)
        colors = (palette.T.astype(int) * 257).flatten().tolist()
        cases[f"palette-{name}.tif"] = tiff_of(indices[:, :, None], 8, 3, order, more=[(320, 3, colors)])
    for depth in (1, 2, 4, 8):
        for photometric, name in ((0, "white-is-0"), (1, "black-is-0")):
            samples = picture(channels=1) >> (8 - depth)
            cases[f"grey-{depth}-{name}.tif"] = tiff_of(samples, depth, photometric, rows=6)
    for depth in (1, 2, 4):
        indices, palette = indexed(1 << depth)
        colors = (palette.T.astype(int) * 257).flatten().tolist()
        cases[f"palette-{depth}.tif"] = tiff_of(indices[:, :, None], depth, 3, more=[(320, 3, colors)])
    colors = (palette.T.astype(int)).flatten().tolist()
    cases["palette-8-bit-colors.tif"] = tiff_of(indices[:, :, None], 4, 3, more=[(320, 3, colors)])
    cases["grey-16-white-is-0.tif"] = tiff_of(picture16(channels=1), 16, 0)
    cases["grey-16-signed.tif"] = tiff_of(picture16(channels=1).astype(int) - 20000, 16, 1, kind=2)
    cases["grey-alpha.tif"] = tiff_of(picture(channels=2), 8, 1, extra=[2])
    cases["rgba.tif"] = tiff_of(picture(channels=4), 8, 2, extra=[2])
    rgba = picture(channels=4).astype(int)
    rgba[:, :, :3] = rgba[:, :, :3] * rgba[:, :, 3:] // 255
    cases["rgba-premultiplied.tif"] = tiff_of(rgba, 8, 2, extra=[1])
    cases["rgbx.tif"] = tiff_of(picture(channels=4), 8, 2, extra=[0])
    cases["rgba-planar.tif"] = tiff_of(picture(channels=4), 8, 2, planar=2, extra=[2])
    cases["rgba-16.tif"] = tiff_of(picture16(channels=4), 16, 2, extra=[2])
    cases["cmyk-16.tif"] = tiff_of(picture16(channels=4), 16, 5)
    cases["cmyk-planar.tif"] = tiff_of(picture(channels=4), 8, 5, planar=2)
    cases["float.tif"] = tiff_of(picture(channels=1).astype(float) - 3.5, 32, 1, kind=3)
    cases["int-32.tif"] = tiff_of(picture(channels=1).astype(int) * 2 - 40, 32, 1, kind=2)
    cases["strips.tif"] = tiff_of(picture(), 8, 2, rows=4)
    cases["big.tif"] = tiff_of(picture(), 8, 2, big=True)
    cases["big-be.tif"] = tiff_of(picture(), 8, 2, ">", big=True)
    samples = picture()
    tiles = []
    for top in (0, 16):
        for left in (0, 16):
            tile = np.zeros((16, 16, 3), np.uint8)
            part = samples[top : top + 16, left : left + 16]
            tile[: part.shape[0], : part.shape[1]] = part
            tiles.append(tile)
    tags = [(256, 3, [17]), (257, 3, [11]), (258, 3, [8] * 3), (262, 3, [2]), (277, 3, [3]), (322, 3, [16]), (323, 3, [16])]
    tiles = tiles[:2]
    cases["tiles.tif"] = tiff([*tags, (259, 3, [1])], [t.tobytes() for t in tiles])
    cases["tiles-deflate.tif"] = tiff([*tags, (259, 3, [8])], [zlib.compress(t.tobytes()) for t in tiles])
    cases["tiles-predictor.tif"] = tiff(
        [*tags, (259, 3, [8]), (317, 3, [2])],
        [zlib.compress(np.diff(t, axis=1, prepend=np.zeros((16, 1, 3), np.uint8)).astype(np.uint8).tobytes()) for t in tiles],
    )
    photo = image(33, 17)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        cases[f"rgb-{compression}.tif"] = encode(photo, "TIFF", compression=compression)
    cases["rgb-zstd.tif"] = encode(photo, "TIFF", compression="zstd")
    cases["rgb-lzma.tif"] = encode(photo, "TIFF", compression="lzma")
    cases["ycbcr-jpeg.tif"] = encode(photo.convert("YCbCr"), "TIFF", compression="jpeg")
    cases["ycbcr-raw.tif"] = encode(photo.convert("YCbCr"), "TIFF")
    cases["grey-lzw.tif"] = encode(image(mode="L"), "TIFF", compression="tiff_lzw")
    cases["grey-jpeg.tif"] = encode(image(mode="L"), "TIFF", compression="jpeg")
    cases["grey-16-lzw.tif"] = encode(Image.fromarray(picture16(channels=1).squeeze()), "TIFF", compression="tiff_lzw")
    cases["cmyk-lzw.tif"] = encode(image(mode="CMYK"), "TIFF", compression="tiff_lzw")
    cases["palette-lzw.tif"] = encode(image().quantize(99), "TIFF", compression="tiff_lzw")
    for compression in ("group3", "group4", "tiff_ccitt"):
        cases[f"1-bit-{compression}.tif"] = encode(image(mode="L").convert("1"), "TIFF", compression=compression)
    cases["lab.tif"] = tiff_of(picture(), 8, 8)
    cases["pages.tif"] = encode(image(), "TIFF", save_all=True, append_images=[image(9, 7)])
    small = picture(7, 5)
    for orientation in (1, 2, 5, 6):
        cases[f"orientation-{orientation}.tif"] = tiff_of(small, 8, 2, more=[(274, 3, [orientation])])
    cases["xmp.tif"] = tiff_of(small, 8, 2, more=[(700, 1, xmp(6))])
    cases["icc.tif"] = tiff_of(small, 8, 2, more=[(34675, 7, bytes(200) + b"acsp" + bytes(300))])
    # Refused by either
    cases["bad-huge.tif"] = tiff_of(small, 8, 2).replace(struct.pack("<HHIHH", 256, 3, 1, 7, 0), struct.pack("<HHII", 256, 4, 1, 2**31 - 1))
    cases["bad-no-size.tif"] = tiff_of(small, 8, 2).replace(struct.pack("<HH", 256, 3), struct.pack("<HH", 255, 3))
    cases["bad-five-bits.tif"] = tiff_of(small, 8, 2).replace(struct.pack("<3H", 8, 8, 8), struct.pack("<3H", 5, 5, 5))
    cases["bad-offset.tif"] = patched(tiff_of(small, 8, 2), 4, b"\xff\xff\xff\x7f")


def late_tiff_cases():
    """Kinds that libvips and Pillow read differently; made last, so that the pictures above stay as they are."""
    cases["grey-8-signed.tif"] = tiff_of(picture(channels=1), 8, 1, kind=2)
    cases["rgb-8-signed.tif"] = tiff_of(picture(), 8, 2, kind=2)
    cases["rgb-float.tif"] = tiff_of(picture() / 255, 32, 2, kind=3)
    cases["grey-void.tif"] = tiff_of(picture(channels=1), 8, 1, kind=4)
    # Alphas of all levels, the first rows 0 and 255, colours above them too.
    rgba = rng.integers(0, 256, (64, 64, 4))
    rgba[:, :, 3] = np.arange(64 * 64).reshape(64, 64) // 16
    for order, name in (("<", "le"), (">", "be")):
        cases[f"rgba-premultiplied-{name}.tif"] = tiff_of(rgba, 8, 2, order, extra=[1])
    cases["rgba-premultiplied-strips-6.tif"] = tiff_of(picture(7, 5, 4), 8, 2, rows=2, extra=[1], more=[(274, 3, [6])])
    cases["rgba-premultiplied-planar.tif"] = tiff_of(picture(channels=4), 8, 2, planar=2, extra=[1])
    cases["rgba-premultiplied-16.tif"] = tiff_of(picture16(channels=4), 16, 2, extra=[1])
    cases["grey-premultiplied.tif"] = tiff_of(picture(channels=2), 8, 1, extra=[1])
    # A palette is of 8 bits only if all of its values are.
    indices, palette = indexed(16)
    for name, last in (("one-wide", [300]), ("black", None)):
        colors = [*palette.T.flatten().tolist()[:-1], *last] if last else [0] * 48
        cases[f"palette-{name}.tif"] = tiff_of(indices[:, :, None], 4, 3, more=[(320, 3, colors)])


def avif_cases():
    cases["444.avif"] = encode(image(33, 17), "AVIF", subsampling="4:4:4", quality=90)
    cases["420.avif"] = encode(image(33, 17), "AVIF", subsampling="4:2:0", quality=80)
    cases["422.avif"] = encode(image(33, 17), "AVIF", subsampling="4:2:2", quality=80)
    cases["400.avif"] = encode(image(33, 17), "AVIF", subsampling="4:0:0", quality=80)
    cases["alpha.avif"] = encode(image(mode="RGBA"), "AVIF")
    cases["limited.avif"] = encode(image(33, 17), "AVIF", range="limited", subsampling="4:4:4", quality=90)
    for orientation in range(2, 9):
        data = encode(image(8, 6), "AVIF", exif=b"Exif\0\0" + exif(orientation), subsampling="4:4:4", quality=90)
        cases[f"exif-{orientation}.avif"] = data
    frames = [image(12, 9) for _ in range(3)]
    cases["animated.avif"] = encode(frames[0], "AVIF", save_all=True, append_images=frames[1:])


# Pillow's answers


def rgb_of(data, oriented=False):
    """Pillow's pixels, or what it raises."""
    Image.MAX_IMAGE_PIXELS = (1 << 28) * 2 // 3  # MAX_PIXELS is twice that; above it Pillow raises
    try:
        with Image.open(io.BytesIO(data)) as im:
            turned = ImageOps.exif_transpose(im) if oriented else im
            return np.array(turned.convert("RGB"))
    except Exception as error:
        return type(error).__name__


class Store:
    """Arrays without repeats, written as safetensors."""

    def __init__(self):
        self.arrays = {}

    def add(self, array):
        if isinstance(array, str):
            return array
        for name, known in self.arrays.items():
            if known.shape == array.shape and (known == array).all():
                return name
        self.arrays[f"rgb.{len(self.arrays)}"] = array
        return f"rgb.{len(self.arrays) - 1}"

    def write(self, path, metadata):
        header, at = {"__metadata__": metadata}, 0
        for name, array in self.arrays.items():
            header[name] = {"dtype": "U8", "shape": array.shape, "data_offsets": [at, at + array.size]}
            at += array.size
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        body = b"".join(array.tobytes() for array in self.arrays.values())
        path.write_bytes(struct.pack("<Q", len(text)) + text + body)


CUT = ["420.jpg", "progressive.jpg", "cmyk.jpg", "grey.jpg", "rgb-8.png", "rgb-8-interlaced.png", "palette-8.png", "grey-16.png"]
CUT += ["by-pillow.gif", "by-pillow-interlaced.gif", "lossy.webp", "lossless.webp", "animated.webp"]
CUT += ["rgb-le.tif", "strips.tif", "rgb-tiff_lzw.tif", "rgb-jpeg.tif", "tiles-deflate.tif", "420.avif"]


def main():
    for make in (jpeg_cases, png_cases, webp_cases, gif_cases, tiff_cases, avif_cases, late_tiff_cases):
        make()
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    store, answers, cuts = Store(), {}, {}
    for name, data in cases.items():
        (OUT / name).write_bytes(data)
        answers[name] = [store.add(rgb_of(data)), store.add(rgb_of(data, True))]
    for name in CUT:
        size = len(cases[name])
        lengths = {"10 %": size // 10, "50 %": size // 2, "90 %": size * 9 // 10, "last 2 bytes": size - 2, "last byte": size - 1}
        cuts[name] = {share: [length, store.add(rgb_of(cases[name][:length]))] for share, length in lengths.items()}
    metadata = {"pillow": PIL.__version__, "answers": json.dumps(answers), "cuts": json.dumps(cuts)}
    store.write(OUT.parent / "decode.safetensors", metadata)
    total = sum(len(data) for data in cases.values())
    print(f"{len(cases)} files, {total} bytes; {len(store.arrays)} arrays, {sum(a.size for a in store.arrays.values())} bytes")


if __name__ == "__main__":
    main()
