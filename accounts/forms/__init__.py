"""Forms of account pages: allauth's with our fields and checks."""
