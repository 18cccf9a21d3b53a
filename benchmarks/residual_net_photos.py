"""The default residual network on a few thousand photographs of 64 by 64 pixels."""

from _data import load_photo_arrays
from _fits import residual_net_row
from _report import show

if __name__ == "__main__":
    show(
        [
            residual_net_row(
                "ResNetImageClassifier() on 2,400 photographs of five kinds, 64x64, defaults",
                load_photo_arrays(64),
                at_least=0.87,
                within=180,
            )
        ]
    )
