"""Network inputs from the sample photographs, by Pillow: resize the short side, crop the centre, normalise."""
import os

import numpy as np
from PIL import Image

SAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "www", "samples")
PHOTOS = ["cat", "coffee", "camera", "rocket", "astronaut"]


def photo(name):
    return Image.open(os.path.join(SAMPLES, f"{name}.jpg")).convert("RGB")


def centre_crop(image, short_side, height, width, filter):
    """uint8 [height,width,3]"""
    scale = short_side / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), filter)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return np.asarray(image.crop((left, top, left + width, top + height)))


def normalise(pixels, mean, std):
    """uint8 [H,W,3] -> float32 [3,H,W]; mean and std on the scale 0..255"""
    return np.ascontiguousarray(((pixels.astype(np.float32) - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1))


def random_crops(height, width, count, seed=0):
    """uint8 [count,height,width,3] from anywhere in the photographs, at any scale."""
    rng, images = np.random.default_rng(seed), [photo(name) for name in PHOTOS]
    out = np.empty((count, height, width, 3), np.uint8)
    for i in range(count):
        image = images[i % len(images)]
        w = int(rng.uniform(0.5, 1.0) * min(image.width, image.height * width / height))
        h = w * height // width
        x, y = rng.integers(0, image.width - w + 1), rng.integers(0, image.height - h + 1)
        out[i] = np.asarray(image.crop((x, y, x + w, y + h)).resize((width, height), Image.BILINEAR))
    return out
