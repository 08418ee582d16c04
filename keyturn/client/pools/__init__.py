"""What holds connections or signs requests, kept on the current credential while it works: one file per library.

Each opens new connections with the current value, in the order of the cache when the target refuses one; a pool also
follows: what idles on an older version is closed, what is in use finishes first, and until then the pool is behind.
"""
