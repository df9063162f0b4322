"""The chatbot platform: bots, contacts, segments, and the API that a token opens."""
