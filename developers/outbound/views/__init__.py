"""Pages of 3rd Party Apps API."""
