"""The background of expected gradients: twelve of scikit-image's freely licensed photographs, as small JPEGs.

usage: background.py PHOTO_FOLDER OUT_FOLDER
"""
import io
import os
import sys

from PIL import Image, ImageOps

SIDE = 224
LARGEST = 14_000
# models/background/README.md says where each comes from and under which licence.
PHOTOS = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cat": "chelsea.png",
    "clock": "clock_motion.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "galaxies": "hubble_deep_field.jpg",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
}


def encoded(image):
    """As a JPEG of the best quality that is not too large."""
    for quality in range(90, 20, -2):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= LARGEST:
            break
    return out.getvalue()


def main(folder, out):
    os.makedirs(out, exist_ok=True)
    for name, source in PHOTOS.items():
        image = Image.open(os.path.join(folder, source))
        image = image.convert("L" if image.mode == "L" else "RGB")
        with open(os.path.join(out, f"{name}.jpg"), "wb") as file:
            file.write(encoded(ImageOps.fit(image, (SIDE, SIDE), Image.LANCZOS)))


if __name__ == "__main__":
    main(*sys.argv[1:])
