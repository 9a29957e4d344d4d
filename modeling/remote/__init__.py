"""What is pushed with the weights: flat files that import stdlib, torch, transformers and each other alone."""
