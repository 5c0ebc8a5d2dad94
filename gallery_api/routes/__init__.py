"""The routes below `/api`: what each takes and answers. The work is done by the classes they call."""
