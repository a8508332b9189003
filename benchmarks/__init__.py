"""What claims of speed, accuracy and memory rest on; ``python -m benchmarks`` runs all of it."""
