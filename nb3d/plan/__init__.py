"""From recorded operations to a list of calls: capture, passes, kernels, memory, execution."""
