FROM localhost/debian:trixie
RUN groupadd --gid 999 valkey \
    && useradd --uid 999 --gid 999 valkey \
    && apt-get update --quiet --quiet \
    && apt-get install --quiet --quiet --yes --no-install-recommends valkey-server
WORKDIR /data
CMD ["valkey-server"]
