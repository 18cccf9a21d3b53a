"""What every other part may use: seeds, targets, parameters, files, private names of libraries."""
