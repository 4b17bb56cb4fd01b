"""The daemon: generators and their kernels, the real-time engine, outputs, and the control adapters."""
