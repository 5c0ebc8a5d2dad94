"""Whether the services answer what their OpenAPI descriptions say, to requests made of these descriptions."""
