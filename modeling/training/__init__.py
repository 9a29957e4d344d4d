"""LoRA negation fine-tuning: config, data, trainer, calibration, validation, run."""
