"""Objects in S3: the meter's `readings` (`s3_readings`), the `needs` that it tells, and `pages` for people."""
