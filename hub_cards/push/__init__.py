"""What is staged goes to the Hub: plan, push, report."""
