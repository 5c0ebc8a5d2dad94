#!/usr/bin/env bash
# Deploys everything to Fly.io, or brings it up to date. docs/deploy.md says what is needed first.
#
#   fly/deploy.sh [--dry-run] [ingest] [orchestrator] [bento] [gallery] [autoscaler]
#
# Reads fly/.env (see fly/env.example); without names it deploys all but the autoscaler. Safe to repeat: what is
# there is kept. --dry-run prints every command and runs none. Secrets go through standard input, never through
# arguments, and are not printed.
set -euo pipefail
cd "$(dirname "$0")/.."

DRY=no
APPS=()
for word in "$@"; do
    case "$word" in
        --dry-run) DRY=yes ;;
        ingest | orchestrator | bento | gallery | autoscaler) APPS+=("$word") ;;
        *) echo "deploy.sh: $word is none of the apps, and no option. See the top of the file." >&2; exit 2 ;;
    esac
done
[ ${#APPS[@]} -gt 0 ] || APPS=(bento ingest orchestrator gallery)

ENV_FILE="${DAM_DEPLOY_ENV:-fly/.env}"
[ -f "$ENV_FILE" ] || { echo "deploy.sh: $ENV_FILE is missing. Copy fly/env.example there and fill it in." >&2; exit 2; }
set -a
# shellcheck disable=SC1090 # the user's own file
. "$ENV_FILE"
set +a

need() { [ -n "${!1:-}" ] || { echo "deploy.sh: $1 is not set in $ENV_FILE: $2" >&2; exit 2; }; }
need FLY_ORG "the organization on Fly.io, for example personal"
need FLY_REGION "a region's three letters, for example fra"
need DAM_APP_PREFIX "what the apps' names begin with, for example dam"
need DAM_STORE_URL "s3:// and the bucket's name"
need DAM_STORE_ENDPOINT_URL "the bucket's S3 endpoint"
need DAM_STORE_ACCESS_KEY_ID "of the R2 token"
need DAM_STORE_SECRET_ACCESS_KEY "of the R2 token"
need DAM_QUEUE_URL "amqps:// …, as CloudAMQP shows it"
need DAM_BENTO_TOKENS "what the Bento lets in: dam token create pipeline --bento"
need DAM_BENTO_TOKEN "what its users show it: dam token create pipeline --bento"

run() {
    if [ "$DRY" = yes ]; then printf '%q ' "$@"; echo; else "$@"; fi
}
# Names of the secrets only; their values come from the environment.
secrets() {
    local app="$1" name
    shift
    if [ "$DRY" = yes ]; then
        printf 'flyctl secrets import --stage --app %q  # %s\n' "$app" "$*"
        return
    fi
    for name in "$@"; do [ -z "${!name:-}" ] || printf '%s=%s\n' "$name" "${!name}"; done |
        flyctl secrets import --stage --app "$app"
}
exists() { [ "$DRY" = no ] && flyctl status --app "$1" >/dev/null 2>&1; }

if [ "$DRY" = no ]; then
    command -v flyctl >/dev/null || { echo "deploy.sh: flyctl is missing: https://fly.io/docs/flyctl/install/" >&2; exit 2; }
    flyctl auth whoami >/dev/null || { echo "deploy.sh: sign in first: flyctl auth login" >&2; exit 2; }
fi

STORE="DAM_STORE_URL DAM_STORE_ENDPOINT_URL DAM_STORE_REGION DAM_STORE_ACCESS_KEY_ID DAM_STORE_SECRET_ACCESS_KEY"
# shellcheck disable=SC2086 # a list of names
for name in "${APPS[@]}"; do
    app="$DAM_APP_PREFIX-$name"
    exists "$app" || run flyctl apps create "$app" --org "$FLY_ORG"
    case "$name" in
        bento) secrets "$app" DAM_BENTO_TOKENS DAM_MODEL_SET ;;
        ingest) secrets "$app" $STORE DAM_QUEUE_URL ;;
        orchestrator) secrets "$app" $STORE DAM_QUEUE_URL DAM_BENTO_TOKEN ;;
        gallery) secrets "$app" $STORE DAM_QUEUE_URL DAM_BENTO_TOKEN ;;
        autoscaler) secrets "$app" FAS_API_TOKEN FAS_PROMETHEUS_TOKEN ;;
    esac
    options=(--config "fly/$name/fly.toml" --app "$app" --primary-region "$FLY_REGION" --ha=false)
    case "$name" in
        gallery) options+=(--env "DAM_INGEST_URL=http://$DAM_APP_PREFIX-ingest.flycast") ;;&
        gallery | orchestrator) options+=(--env "DAM_BENTO_URL=http://$DAM_APP_PREFIX-bento.flycast") ;;
        # A private address each: the proxy that wakes them listens there, and the public does not.
        bento | ingest) options+=(--flycast --no-public-ips) ;;
        autoscaler)
            options+=(--env "FAS_APP_NAME=$DAM_APP_PREFIX-orchestrator"
                --env "FAS_PROMETHEUS_ADDRESS=https://api.fly.io/prometheus/$FLY_ORG"
                --env "FAS_PROMETHEUS_QUERY=max(dam_queue_messages{app='$DAM_APP_PREFIX-orchestrator',state='ready'})")
            ;;
    esac
    if [ "$name" = bento ] && [ -n "${PIP_EXTRA_INDEX_URL:-}" ]; then
        options+=(--build-arg "PIP_EXTRA_INDEX_URL=$PIP_EXTRA_INDEX_URL")
    fi
    run flyctl deploy . "${options[@]}"
done
[ "$DRY" = yes ] || echo "The gallery: https://$DAM_APP_PREFIX-gallery.fly.dev (sign in with a token: dam token create NAME --scope admin)"
