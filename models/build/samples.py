"""The page's sample photographs: scikit-image's freely licensed ones, as JPEG with a long side of at most 512.

usage: samples.py PHOTO_FOLDER OUT_FOLDER
"""
import os
import sys

from PIL import Image

LONG_SIDE = 512
# www/samples/README.md says where each comes from and under which licence.
PHOTOS = {
    "cat": "chelsea.png",
    "coffee": "coffee.png",
    "rocket": "rocket.jpg",
    "astronaut": "astronaut.png",
    "camera": "camera.png",
}


def main(folder, out):
    os.makedirs(out, exist_ok=True)
    for name, source in PHOTOS.items():
        image = Image.open(os.path.join(folder, source)).convert("RGB")
        image.thumbnail((LONG_SIDE, LONG_SIDE), Image.LANCZOS, reducing_gap=None)  # never enlarges
        # No chroma subsampling: small coloured details count for a network as they do for an eye.
        image.save(os.path.join(out, f"{name}.jpg"), quality=88, optimize=True, subsampling=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
