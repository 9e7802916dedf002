"""Seeded images and weights, in numpy, for every framework."""
import numpy as np

CLASSES = 10


def image_name(size, pixels=False, grey=False):
    return f"{size}_pixels" if pixels else f"{size}_grey" if grey else str(size)


def image(size, pixels=False, grey=False):
    """The image [1,3,H,W] that networks of a size are asked about, or its first channel."""
    return images(np.random.default_rng(size), 1, size, pixels)[:, :1 if grey else 3]


def images(rng, count, size, pixels=False):
    """Patches of colour of three sizes, and noise: [n,3,H,W], normalised, or pixels of about 0 to 255 for networks that
    normalise by themselves. Images of noise alone look all the same to a network, and what tells them apart drowns in
    rounding."""
    made = 0.3 * rng.standard_normal((count, 3, size, size))
    for places in (2, 4, 8):
        side = -(-size // places)
        made += np.kron(rng.standard_normal((count, 3, places, places)), np.ones((side, side)))[:, :, :size, :size]
    return (128 + 40 * made if pixels else 0.6 * made).astype(np.float32)


def levels(shape, deviation, rng):
    """Normal numbers of about this deviation, of nine levels: so they compress."""
    steps = np.clip(np.round(2 * rng.standard_normal(shape)), -4, 4)
    return steps * power_of_two(deviation / 2)


def power_of_two(x):
    return 2.0 ** np.round(np.log2(x))
