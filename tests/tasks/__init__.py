"""From frames to inputs and from outputs to results."""
