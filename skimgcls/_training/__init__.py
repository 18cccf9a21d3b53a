"""The skorch network that runs the epochs, with its batches, optimizers and callbacks."""
