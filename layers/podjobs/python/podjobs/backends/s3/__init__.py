"""Media in a bucket of an object storage that speaks Amazon's S3."""
