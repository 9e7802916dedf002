"""Reads a PyTorch checkpoint of the old (before 1.6, not zipped) format with numpy alone.

The file is a row of pickles (magic, protocol, system info, the state dict, the storage keys) and then, for each
key, an int64 element count and the raw little-endian elements. Only the few globals that a state dict of tensors
needs are admitted, so a checkpoint cannot run code.
"""
import collections
import pickle
import struct

import numpy as np

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class Storage:
    def __init__(self, kind, count):
        self.dtype, self.count, self.data = np.dtype(DTYPES[kind]), count, None


class StateDictUnpickler(pickle.Unpickler):
    """Tensors become (storage, offset, shape, strides): their elements come only after the pickles."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch" and name in DTYPES:
            return name
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: (storage, offset, shape, strides)
        raise pickle.UnpicklingError(f"refused global {module}.{name}")

    def persistent_load(self, pid):
        _, kind, key, _, count, _ = pid
        return self.storages.setdefault(key, Storage(kind, count))


def load(path):
    """The state dict: name -> numpy array."""
    with open(path, "rb") as file:
        if (pickle.load(file), pickle.load(file)) != (MAGIC, PROTOCOL):
            raise ValueError(f"{path}: not a legacy PyTorch checkpoint")
        pickle.load(file)  # system info
        unpickler = StateDictUnpickler(file)
        tensors = unpickler.load()
        for key in pickle.load(file):
            storage = unpickler.storages[key]
            (count,) = struct.unpack("<q", file.read(8))
            if count != storage.count:
                raise ValueError(f"{path}: storage {key} has {count} elements, not {storage.count}")
            storage.data = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
    return {name: as_array(*tensor) for name, tensor in tensors.items()}


def as_array(storage, offset, shape, strides):
    bytes_per = storage.dtype.itemsize
    return np.lib.stride_tricks.as_strided(storage.data[offset:], shape, [s * bytes_per for s in strides]).copy()
