"""Results on their way to brokers, files and streams."""
