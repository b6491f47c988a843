# shellcheck shell=bash
# Configuring and building. Needs common.sh.

# is_configured PRESET [-DNAME=VALUE...]: build/PRESET is set up, for this folder and with these values.
is_configured() {
  local preset=$1 argument name
  shift
  [[ -f build/$preset/build.ninja ]] || return 1
  for argument in "$@"; do
    name=${argument#-D}
    grep -Eq "^${name%%=*}:[A-Z]+=${name#*=}\$" "build/$preset/CMakeCache.txt" || return 1
  done
}

# configure PRESET [-DNAME=VALUE...]: runs CMake unless that has been done.
configure() {
  local preset=$1
  shift
  if [[ -f build/$preset/CMakeCache.txt ]] &&
    ! grep -Fxq "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "build/$preset/CMakeCache.txt"; then
    say "this checkout has moved: building build/$preset anew"
    rm -rf "build/$preset"
  fi
  is_configured "$preset" "$@" && return
  cmake --preset "$preset" "$@" >"build/$preset.configure.log" 2>&1 && return
  cat "build/$preset.configure.log" >&2
  fail "CMake could not configure build/$preset, its reason is above"
}

# build PRESET [TARGET]: says nothing where nothing is to be done.
build() {
  local preset=$1 target=${2:-all}
  if ninja -C "build/$preset" -n "$target" | grep -q 'no work to do'; then return; fi
  say "building build/$preset"
  cmake --build "build/$preset" --target "$target" >&2 || fail "the build failed, its reason is above"
}
