"""What is trained on: text of files and packages, tasks made by code, answers sampled from the model."""
