# The Python of the image, with what the tests need.
FROM localhost/python:3.13-slim
RUN apt-get update --quiet --quiet \
    && apt-get install --quiet --quiet --yes --no-install-recommends git make
COPY requirements-dev.txt /tmp/
RUN python -m venv /opt/dev \
    && /opt/dev/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement /tmp/requirements-dev.txt
