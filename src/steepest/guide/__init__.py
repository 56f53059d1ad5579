"""Which optimizer, why, and is the textbook right?"""
