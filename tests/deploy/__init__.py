"""What is deployed: Dockerfiles and Fly configs do what they claim; the deploy script, run dry."""
