"""What OpenRouter sends and takes, one model per resource. Names and fields are the API's own."""
