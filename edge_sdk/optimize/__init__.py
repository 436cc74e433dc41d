"""Work on model files on the host: needs the extra `[optimize]`, never the runtime."""
