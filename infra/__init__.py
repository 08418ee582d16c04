"""The Pulumi program of Keyturn: components, one file each; `program` declares them in order.

No vendor SDK here, and no secret value: the program owns shells, policies and wiring, the runtime owns versions.
"""
