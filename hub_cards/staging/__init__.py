"""The release as it will stand on the Hub."""
