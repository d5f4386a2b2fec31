#!/bin/sh
# entrypoint.sh migrate|web|worker|beat|COMMAND...: the steps of the full size. No container is needed to run
# them: .ci/run does, with PYTHON set to the environment's own.
set -eu
cd "$(dirname "$0")/.."
PYTHON=${PYTHON:-python}

case ${1:-web} in
migrate)
    "$PYTHON" manage.py check --database default
    exec "$PYTHON" manage.py migrate --noinput --verbosity 1
    ;;
web)
    "$PYTHON" manage.py collectstatic --noinput --verbosity 0
    exec "$PYTHON" -m granian --interface wsgi --host "${HOST:-127.0.0.1}" --port "${PORT:-8000}" \
        --workers "${WEB_WORKERS:-2}" --blocking-threads 4 --workers-kill-timeout 20 portal.wsgi:application
    ;;
worker)
    # Threads, since it waits on the network: the judging task has sixteen calls in flight, and no sixteen processes.
    exec "$PYTHON" -m celery --app portal worker --pool threads --concurrency "${WORKER_THREADS:-8}" \
        --queues doorbell --loglevel WARNING
    ;;
beat)
    exec "$PYTHON" -m celery --app portal beat --schedule "${VAR_DIR:-var}/beat" --pidfile= --loglevel WARNING
    ;;
*)
    exec "$PYTHON" manage.py "$@"
    ;;
esac
