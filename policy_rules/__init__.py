"""The rules that policies are held to before anything is declared. It ships in no function."""
