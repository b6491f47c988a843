# shellcheck shell=bash
# The default model: assets/default_model's recipe, run in a virtual environment of the build. Needs common.sh.

recipe=assets/default_model
venv=build/venv
system_python=/usr/bin/python3  # not whatever conda or pyenv put first in PATH

# The virtual environment with the recipe's packages; complete or made anew.
ensure_venv() {
  local stamp=$venv/.complete
  cmp --silent "$recipe/requirements.txt" "$stamp" && "$venv/bin/python" -c '' 2>/dev/null && return
  say "installing Python packages into $venv: $(grep -v '^#' "$recipe/requirements.txt" | tr '\n' ' ')"
  rm -rf "$venv"
  "$system_python" -m venv "$venv" >&2 || fail "$system_python could not create $venv, its reason is above"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
    -r "$recipe/requirements.txt" >&2 ||
    fail "pip could not install the packages of $recipe/requirements.txt, its reason is above (no network?)"
  cp "$recipe/requirements.txt" "$stamp"
}

# Sets `models` to the folder that holds the default model's checkpoints, after making those that are missing.
ensure_models() {
  models=$("$system_python" "$recipe/fetch.py" --check) && return
  ensure_venv
  say "setting up the default model in $models"
  "$venv/bin/python" "$recipe/fetch.py" >&2 || fail "without the default model this cannot go on"
}
