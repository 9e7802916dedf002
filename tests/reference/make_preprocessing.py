"""Pictures as transformers and timm prepare them, for src/picture/config_tests.rs: python make_preprocessing.py > ../fixtures/preprocessing.json

Each entry has the configuration, the size of a picture of noise (the generator of src/picture/test_files.rs), the size
of what the library makes of it, and of that the sum and some values. transformers' processors are those on Pillow.
"""
import json

import numpy as np
import transformers
from PIL import Image
from timm.data import create_transform

# Of a tall picture Pillow 13 resizes the columns first, which Pellucid does not: values are rounded to others there.
SIZES = [(97, 61), (40, 40), (300, 200)]
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
TRANSFORMERS = [
    ("ViTImageProcessor", {"size": {"height": 32, "width": 32}, "resample": 2, **IMAGENET}),
    ("ViTImageProcessor", {"size": {"height": 24, "width": 40}, "resample": 0, "do_normalize": False}),
    ("ViTImageProcessor", {"size": {"height": 32, "width": 32}, "resample": 1, "do_rescale": False, **IMAGENET}),
    ("CLIPImageProcessor", {"size": {"shortest_edge": 37}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "resample": 3, **IMAGENET}),
    ("CLIPImageProcessor", {"size": {"shortest_edge": 30}, "crop_size": {"height": 33, "width": 33}, "do_center_crop": True, "resample": 3, **IMAGENET}),
    ("DeiTImageProcessor", {"size": {"height": 37, "width": 37}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "resample": 3, **IMAGENET}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 32}, "crop_pct": 0.875, "resample": 3, **IMAGENET}),
    ("ConvNextImageProcessor", {"size": {"shortest_edge": 384}, "crop_pct": 0.875, "resample": 2, **IMAGENET}),
    ("MobileViTImageProcessor", {"size": {"shortest_edge": 36}, "crop_size": {"height": 32, "width": 32}, "do_center_crop": True, "do_flip_channel_order": True, "resample": 2}),
    ("EfficientNetImageProcessor", {"size": {"height": 32, "width": 32}, "resample": 2, "do_center_crop": False, "include_top": True, **IMAGENET}),
]
TIMM = [
    {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 0.95, "crop_mode": "center"},
    {"input_size": [3, 32, 32], "interpolation": "bilinear", "crop_pct": 0.9, "crop_mode": "squash"},
    {"input_size": [3, 32, 48], "interpolation": "bilinear", "crop_pct": 1.0, "crop_mode": "squash"},
    {"input_size": [3, 32, 32], "interpolation": "bicubic", "crop_pct": 1.0, "crop_mode": "border"},
]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def noise(width, height):
    state, values = 1, []
    for _ in range(3 * width * height):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return Image.fromarray(np.array(values, np.uint8).reshape(height, width, 3))


def entry(config, size, output):
    output = np.asarray(output, np.float64)
    flat = output.reshape(-1)
    picks = [int(i) for i in np.linspace(0, flat.size - 1, 24)]
    values = [float(np.float32(flat[i])) for i in picks]
    return {"config": config, "picture": size, "shape": output.shape, "mean": float(flat.mean()), "places": picks, "values": values}


def slow(kind):
    return getattr(transformers, kind + "Pil", None) or getattr(transformers, kind)


def main():
    entries = []
    for size in SIZES:
        for kind, config in TRANSFORMERS:
            processor = slow(kind)(**config)
            made = processor(noise(*size), return_tensors="np", input_data_format="channels_last")["pixel_values"][0]
            said = {**config, "image_processor_type": kind}
            entries.append(entry(said, size, made))
        for config in TIMM:
            transform = create_transform(**config, mean=MEAN, std=STD)
            entries.append(entry({**config, "mean": MEAN, "std": STD}, size, transform(noise(*size))))
    print("[" + ",\n".join(json.dumps(entry) for entry in entries) + "]")


main()
