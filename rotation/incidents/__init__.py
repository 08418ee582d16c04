"""Events from outside that may call for a rotation: what they say, in one form. No call, no clock, no policy here."""
