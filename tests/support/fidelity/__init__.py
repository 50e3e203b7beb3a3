"""Whether what comes out is what went in: every frame, its time, its sound; at the joins and at both ends."""
