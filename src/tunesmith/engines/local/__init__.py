"""Engines that run here, on transformers."""

import logging

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # PEFT imports it, and it warns of an optional package
