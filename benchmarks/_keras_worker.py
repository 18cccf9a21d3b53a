"""The Keras process of epoch_against_keras.py, run by the interpreter of the Keras environment.

Arguments: the folder of ``X.npy`` and ``y.npy``, a precision policy, a batch size and a number of
threads. The process reads one command per line, "about" or "epoch", and answers with a line of
JSON.
"""

import json
import os
import sys
import time
from pathlib import Path

# Show only errors while TensorFlow loads.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def make_model():
    """Return the default network of CNNImageClassifier, compiled as Keras recommends."""
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            # The output is always float32, as Keras recommends for the input of the loss.
            layers.Dense(10, dtype="float32"),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=keras.optimizers.Adam(), loss=loss, metrics=["accuracy"])
    return model


def load_images(folder):
    """Return float32 images, standardized per channel, and their labels."""
    pixels = np.load(folder / "X.npy").astype(np.float32)
    pixels -= pixels.mean(axis=(0, 1, 2))
    pixels /= pixels.std(axis=(0, 1, 2))
    return pixels, np.load(folder / "y.npy")


def main(folder, policy, batch_size, n_threads):
    tf.config.threading.set_intra_op_parallelism_threads(int(n_threads))
    keras.mixed_precision.set_global_policy(policy)
    X, y = load_images(Path(folder))
    model = make_model()
    for line in sys.stdin:
        if line.strip() == "epoch":
            start = time.perf_counter()
            model.fit(X, y, batch_size=int(batch_size), epochs=1, verbose=0)
            answer = {"seconds": time.perf_counter() - start}
        else:
            versions = {"keras": keras.__version__, "tensorflow": tf.__version__}
            answer = {"n_parameters": model.count_params(), **versions}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
