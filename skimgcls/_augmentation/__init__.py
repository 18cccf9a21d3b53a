"""Random operations on batches of images, in pairs: draw, then apply. Knows torch alone."""
