"""`make gpu`: is a real GPU right, and how fast is it? Needs torch, triton, numpy and pytest's folder of checks alone."""
