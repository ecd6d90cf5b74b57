"""One module per service: how each resource type is created, and every property that is honoured."""
