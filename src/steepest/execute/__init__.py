"""What runs: `eager` on arrays of any library, `cpu` through compiled kernels."""
