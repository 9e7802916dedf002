"""200 crops of 224x224 from freely licensed photographs: enough to find the range of every activation.

No ImageNet image is needed. All six photographs come with scikit-image: astronaut and hubble_deep_field (NASA, public
domain), rocket (SpaceX, public domain), chelsea, coffee and retina (CC0).

usage: calibration.py PHOTO_FOLDER OUT.npy
"""
import os
import sys

import numpy as np
from PIL import Image

OBJECTS = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"]
DARK = ["retina.jpg", "hubble_deep_field.jpg"]


def crops(folder, count=200, size=224, seed=0):
    rng = np.random.default_rng(seed)
    objects, dark = ([Image.open(os.path.join(folder, name)).convert("RGB") for name in names]
                     for names in (OBJECTS, DARK))
    out = np.empty((count, size, size, 3), np.uint8)
    for i in range(count):
        if i % 6:
            image = objects[int(rng.integers(0, len(objects)))]
        else:  # mostly black pictures: one crop in six is enough of them
            image = dark[(i // 6) % 2]
        side = int(min(image.size) * rng.uniform(0.35, 1.0))
        x, y = (int(rng.integers(0, extent - side + 1)) for extent in image.size)
        crop = image.crop((x, y, x + side, y + side)).resize((size, size), Image.BICUBIC)
        if rng.random() < 0.5:
            crop = crop.transpose(Image.FLIP_LEFT_RIGHT)
        out[i] = np.asarray(crop)
    return out


if __name__ == "__main__":
    np.save(sys.argv[2], crops(sys.argv[1]))
