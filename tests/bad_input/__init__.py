"""What nobody should send, sent to the real services: each case has one outcome, stated in `table`."""
