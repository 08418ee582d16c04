"""What must exist in an account before the first deployment, as a Pulumi project of its own."""
