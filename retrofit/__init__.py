"""Turns a plain Hugging Face checkpoint into one with learned KV-cache eviction (Dynamic Memory Sparsification).

`model` holds the gates and the mask, `training` the loss and the loop, `data` what is trained on, `output` the
checkpoints that are written. `python -m retrofit --help` explains the commands.
"""
