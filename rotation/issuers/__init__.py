"""One module per credential type, each behind `rotation.contract.CredentialIssuer`."""
