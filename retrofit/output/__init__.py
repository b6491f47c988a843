"""What is written: DMS checkpoints in NVIDIA's or FastDMS's layout, and the compact form."""
