"""How an acknowledgement reaches Keyturn: a function that takes the message and raises ClientError. One file each."""
