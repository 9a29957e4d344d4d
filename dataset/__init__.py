"""The contract: rows, their schema, the files of a built dataset, clips."""
