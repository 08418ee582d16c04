"""Faults on the wire: what stands between a function and a store or target, and spoils calls when a test says so.

Test equipment, started by tests and by nothing else. Without a fault everything passes through as it is.
"""
