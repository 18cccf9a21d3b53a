"""
Save, share and deploy a model
==============================

This example trains a Pipeline and saves it to a file that is safe to load. It then uses the model
in a service that writes no images to disk, exports it to ONNX, prepares a folder for a model hub
and logs it to MLflow.
"""

import io
import logging
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import onnxruntime
from PIL import Image
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skimgcls import (
    CNNImageClassifier,
    ImageAugmenter,
    ImageLoader,
    ImageNormalizer,
    get_trusted_types,
    load,
    make_shapes,
    save,
    to_onnx,
)

folder = TemporaryDirectory()
home = Path(folder.name)

# %%
# A Pipeline
# ----------
# The Pipeline accepts images of any size and returns class names. It computes in float32 on every
# machine, as ONNX models do.

X, y = make_shapes(1600, image_size=32, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=400, random_state=0)
pipe = make_pipeline(
    ImageLoader(size=(24, 24)),
    ImageNormalizer(),
    ImageAugmenter(rotation=10, brightness=0.2),
    CNNImageClassifier(max_iter=15, precision="float32", random_state=0),
).fit(X_train, y_train)
print(f"accuracy on the images held out: {pipe.score(X_test, y_test):.2f}")

# %%
# One file
# --------
# The file contains the whole Pipeline and no executable code, so it is safe to load a file from an
# untrusted source.

save(pipe, home / "shapes.skimgcls")
again = load(home / "shapes.skimgcls")
print(f"{(home / 'shapes.skimgcls').stat().st_size / 1024:.0f} KiB")
print("equal bit for bit:", (again.predict_proba(X_test) == pipe.predict_proba(X_test)).all())

# %%
# A service
# ---------
# A browser sends bytes, which ``predict_proba`` accepts directly. Open files and Pillow images also
# work.

upload = io.BytesIO()
Image.fromarray(X_test[0]).resize((300, 200)).save(upload, "JPEG")
proba = again.predict_proba([upload.getvalue()])[0]
ax = plt.figure(figsize=(6, 3), layout="constrained").subplots()
ax.barh(again.classes_, proba)
ax.set(xlim=(0, 1), xlabel="probability", title=f"sent: {y_test[0]}")
plt.show()

# %%
# ONNX
# ----
# One ONNX model from ``uint8`` pixels to class names, including resizing and normalization. It runs
# wherever onnxruntime runs: on phones, in browsers, in C++.

to_onnx(pipe, home / "shapes.onnx")
session = onnxruntime.InferenceSession(home / "shapes.onnx", providers=["CPUExecutionProvider"])
proba, labels = session.run(["probabilities", "labels"], {"pixels": X_test})
print("largest difference:", f"{np.abs(proba - pipe.predict_proba(X_test)).max():.0e}")
print("equal names:", (labels == pipe.predict(X_test)).all())

# %%
# A model hub
# -----------
# A model hub such as Hugging Face's accepts a folder with the file and a model card.

hub = home / "shapes"
hub.mkdir()
save(pipe, hub / "model.skimgcls")
(hub / "README.md").write_text(
    f"""---
library_name: skimgcls
tags: [image-classification]
metrics: [accuracy]
---

# Shapes

Classifies {", ".join(pipe.classes_)}, with an accuracy of {pipe.score(X_test, y_test):.2f} on
{len(X_test)} held-out images. Load it with `skimgcls.load("model.skimgcls")`.
"""
)
print(sorted(path.name for path in hub.iterdir()))

# %%
# ``huggingface_hub.upload_folder(folder_path=hub, repo_id=...)`` uploads it.
#
# MLflow
# ------
# MLflow logs the Pipeline like any other scikit-learn model. It saves it with skops and needs the
# list of trusted types.

logging.getLogger("mlflow").setLevel(logging.ERROR)
mlflow.set_tracking_uri(f"sqlite:///{home / 'mlflow.db'}")
experiment = mlflow.create_experiment("shapes", artifact_location=(home / "models").as_uri())
with mlflow.start_run(experiment_id=experiment):
    mlflow.log_metric("accuracy", pipe.score(X_test, y_test))
    logged = mlflow.sklearn.log_model(pipe, name="shapes", skops_trusted_types=get_trusted_types())
again = mlflow.sklearn.load_model(logged.model_uri)
print("equal bit for bit:", (again.predict_proba(X_test) == pipe.predict_proba(X_test)).all())

# %%
# A web page
# ----------
# ``python -m skimgcls.app shapes.skimgcls`` starts a web page. Users upload an image and see the
# classes with their confidence.

folder.cleanup()
