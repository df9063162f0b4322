# The folder, signal and start of the official image.
FROM localhost/debian:bookworm
COPY --chmod=0755 postgres-entrypoint /usr/local/bin/
RUN install --directory --owner postgres --group postgres --mode 0700 /var/lib/postgresql/data \
    && ln -s /usr/lib/postgresql/15/bin/* /usr/local/bin/
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]
