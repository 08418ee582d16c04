"""One adapter per secret store, each behind `rotation.contract.SecretStore`."""
