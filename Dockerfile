# syntax=docker/dockerfile:1
# The site and its worker in one image, for the CPU: `docker build -t otjang .`

FROM python:3.11-slim-bookworm AS build
# Debian keeps one version of each package in a release: a pinned one is gone with its next security fix.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc gettext libc6-dev libmariadb-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/otjang
ENV PATH=/opt/otjang/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /srv/otjang
COPY requirements-production.lock requirements-container.lock scripts/install /tmp/build/
# torch's own index, whose wheels bring no CUDA. pip takes nothing whose hash is not in the lock, from wherever it comes.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN TORCH_INDEX="$TORCH_INDEX" /tmp/build/install /tmp/build/requirements-production
# OpenCV without windows, which needs no X libraries and is smaller, in the place of the one that ultralytics names; no
# polars, with which ultralytics writes tables of trainings; torch without what only compiling and testing it needs;
# OpenVINO without what drives GPUs and NPUs.
RUN pip uninstall -y opencv-python polars polars-runtime-32 \
    && pip install --no-deps --require-hashes -r /tmp/build/requirements-container.lock \
    && packages=/opt/otjang/lib/python3.11/site-packages \
    && torch="$packages/torch" \
    && rm -rf "$torch/include" "$torch/test" \
    && find "$torch/bin" -type f ! -name torch_shm_manager -delete \
    && rm -f "$packages"/openvino/libs/libopenvino_intel_[gn]pu_plugin.so "$packages/openvino/libs/cache.json"
COPY . .
# The key signs nothing here, and the image does not keep it.
RUN msgfmt --check-format -o locale/ko/LC_MESSAGES/django.mo locale/ko/LC_MESSAGES/django.po \
    && SECRET_KEY=only-for-collecting-static-files DATABASE_URL=sqlite://:memory: STATIC_COLLECTED=true \
       python manage.py collectstatic --noinput \
    && python -m compileall -q accounts catalog classifier config core demo vision webhooks

FROM python:3.11-slim-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home otjang \
    && install -d -o otjang -g otjang /var/lib/otjang
COPY --from=build /opt/otjang /opt/otjang
COPY --from=build /srv/otjang /srv/otjang
WORKDIR /srv/otjang
# What is written goes to /var/lib/otjang, or, with MEDIA_STORAGE=s3://…, nowhere but /tmp.
ENV PATH=/opt/otjang/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    YOLO_CONFIG_DIR=/tmp \
    MPLCONFIGDIR=/tmp \
    BIND_ADDRESS=0.0.0.0 \
    STATIC_COLLECTED=true \
    DATABASE_URL=sqlite:////var/lib/otjang/otjang.sqlite3 \
    MEDIA_ROOT=/var/lib/otjang/media \
    UPLOAD_TEMP_DIR=/tmp/otjang_uploads \
    LOG_FORMAT=json
USER 10001
EXPOSE 8000
# The worker: `python manage.py worker`; once per release: `python manage.py prepare --no-demo`.
CMD ["python", "-m", "config.server"]
