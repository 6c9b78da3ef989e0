"""The graph engine: symbolic tensors, layers and their nodes, weights, losses and updates. It computes nothing."""
