"""What the gallery's API takes and answers, as models: the source of both the JSON and its OpenAPI page."""
