"""What `dam doctor` says of healthy and of broken services."""
