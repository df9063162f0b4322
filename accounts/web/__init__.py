"""What any view needs: requests, clients, responses and pagination."""
