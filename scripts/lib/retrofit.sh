# shellcheck shell=bash
# The Python package retrofit and its tests, in a virtual environment of the build. PyTorch takes 5 GB there, so only
# those who ask for it get it. Needs common.sh and model.sh.

retrofit_venv=build/venv-retrofit

# The virtual environment with PyTorch; complete or made anew.
# shellcheck disable=SC2154  # system_python comes from model.sh
ensure_retrofit_venv() {
  local stamp=$retrofit_venv/.complete wanted
  local files=(retrofit/requirements.txt tests/retrofit/requirements.txt)
  wanted=$(cat "${files[@]}")
  [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && "$retrofit_venv/bin/python" -c '' 2>/dev/null && return
  say "installing PyTorch and more into $retrofit_venv (5 GB): $(grep -hv '^#' "${files[@]}" | tr '\n' ' ')"
  rm -rf "$retrofit_venv"
  "$system_python" -m venv "$retrofit_venv" >&2 || fail "$system_python could not create $retrofit_venv, its reason is above"
  "$retrofit_venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary=:all: \
    -r "${files[0]}" -r "${files[1]}" >&2 ||
    fail "pip could not install the packages of ${files[*]}, its reason is above (no network? a full disk?)"
  printf '%s\n' "$wanted" >"$stamp"
}

# shellcheck disable=SC2154  # root comes from common.sh
test_retrofit() {
  DMSCOPE=$root/build/release/dmscope PYTHONDONTWRITEBYTECODE=1 \
    "$retrofit_venv/bin/python" -m pytest --quiet -p no:cacheprovider tests/retrofit
}
