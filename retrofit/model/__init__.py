"""The model: gates, mask and attention of DMS on transformers' Llama, Qwen2 and Qwen3."""
