"""Rows of images with labels for data hyper-cleaning: bytes like those of Fashion-MNIST, made by a generator, in IDX files;
half of the training labels are wrong."""

import struct

SIDE, CLASSES = 28, 10


def write(folder, rows):
    """Two sets of `rows` images, `train` and `val`."""
    import numpy

    generator = numpy.random.default_rng(0)
    # half of the pixels are black, as in Fashion-MNIST, whose mean is 73
    prototypes = generator.integers(0, 256, (CLASSES, SIDE, SIDE)) * (generator.random((CLASSES, SIDE, SIDE)) < 0.5)
    for part in ["train", "val"]:
        labels = generator.integers(0, CLASSES, rows)
        noise = generator.integers(-64, 65, (rows, SIDE, SIDE))
        images = numpy.clip(prototypes[labels] + noise, 0, 255)
        if part == "train":
            labels = numpy.where(generator.random(rows) < 0.5, generator.integers(0, CLASSES, rows), labels)
        (folder / f"{part}-images").write_bytes(struct.pack(">4I", 0x803, rows, SIDE, SIDE) + images.astype("u1").tobytes())
        (folder / f"{part}-labels").write_bytes(struct.pack(">2I", 0x801, rows) + labels.astype("u1").tobytes())


def read(folder, part, dtype):
    """Images `[rows, 784]` from 0 to 1, and labels."""
    import numpy

    images = numpy.frombuffer((folder / f"{part}-images").read_bytes(), "u1", offset=16).reshape(-1, SIDE * SIDE)
    labels = numpy.frombuffer((folder / f"{part}-labels").read_bytes(), "u1", offset=8)
    return (images / 255).astype(dtype), labels.astype("i4")
