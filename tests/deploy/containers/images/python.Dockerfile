# python:3.13-slim, as far as deploy/Dockerfile uses it.
FROM localhost/debian:trixie
RUN ln -s /usr/bin/python3 /usr/local/bin/python
CMD ["python"]
