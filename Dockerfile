# syntax=docker/dockerfile:1
# Workers in a container:
#     docker run -e TERAVOX_QUEUE=… ghcr.io/teravox/teravox
# Any option of `teravox execute` can be given as TERAVOX_NAME, and any other command in its place:
#     docker run ghcr.io/teravox/teravox show https://…/layer
# tests/deploy/build_in_chroot.py does these steps, and a job with the outcome, where there is no container engine.

# Named by digest, since a tag may move. Another one: --build-arg PYTHON=python:…@sha256:…
ARG PYTHON=python:3.12.14-slim-bookworm@sha256:782412e85d0f0984994c290652577d4018aff08145c85b262bb63dc0c7522254


FROM ${PYTHON} AS wheel
ARG SOURCE_DATE_EPOCH
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY examples examples
COPY teravox teravox
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheel .


FROM ${PYTHON} AS installed
ARG SOURCE_DATE_EPOCH
# What tasks may need; `view` and the drivers of databases are for people.
ARG EXTRAS=float,kimimaro,medical,onnx,tables,waterz
COPY --from=wheel /wheel /wheel
RUN python -m venv /opt/teravox \
    && /opt/teravox/bin/pip install --no-cache-dir --no-compile "$(echo /wheel/*.whl)[${EXTRAS}]" \
    && /opt/teravox/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash -x 'py2|tests/' /opt/teravox/lib
# Machine code for any x86-64 processor since 2013 (AVX2): nodes differ from the machine that builds.
ENV NUMBA_CACHE_DIR=/var/cache/teravox NUMBA_CPU_NAME=x86-64-v3 NUMBA_CPU_FEATURES=
COPY tools/compile_kernels.py /source/
RUN /opt/teravox/bin/python /source/compile_kernels.py


FROM ${PYTHON}
LABEL org.opencontainers.image.title="teravox" \
      org.opencontainers.image.description="Workers for teravoxel 3-D images in Neuroglancer Precomputed format" \
      org.opencontainers.image.source="https://github.com/teravox/teravox" \
      org.opencontainers.image.licenses="GPL-3.0-or-later"
RUN useradd --uid 10001 --user-group --create-home --shell /usr/sbin/nologin teravox
COPY --from=installed /opt/teravox /opt/teravox
COPY --from=installed --chown=10001:10001 /var/cache/teravox /var/cache/teravox
ENV PATH=/opt/teravox/bin:$PATH \
    HOME=/home/teravox \
    PYTHONDONTWRITEBYTECODE=1 \
    NUMBA_CACHE_DIR=/var/cache/teravox \
    NUMBA_CPU_NAME=x86-64-v3 \
    NUMBA_CPU_FEATURES= \
    TERAVOX_HEALTH_FILE=/tmp/teravox-is-well
USER 10001:10001
WORKDIR /home/teravox
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=2 \
    CMD ["find", "/tmp/teravox-is-well", "-mmin", "+5", "-exec", "false", "{}", "+"]
ENTRYPOINT ["teravox"]
CMD ["execute"]
