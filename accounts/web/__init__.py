"""What any view needs: who asks, from where, and how to answer."""
