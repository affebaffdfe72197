"""One thing done to many leads: asked for at once, done by a worker when there are many."""
