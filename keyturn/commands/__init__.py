"""One file per verb: read what was asked, ask control or the sandbox, show the answer, give the exit code back."""
