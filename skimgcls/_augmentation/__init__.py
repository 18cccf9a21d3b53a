"""Random operations on batches of images, as pairs of draw and apply; depends only on torch."""
