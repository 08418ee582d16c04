"""The embedded cloud: real servers on loopback ports, and a local engine that applies the program to them."""
