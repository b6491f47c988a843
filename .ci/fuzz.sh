# shellcheck shell=bash
# Building and running the libFuzzer targets of tests/fuzz. Needs scripts/lib/*.sh.

# Sets clang_packages. Debian 12 and Ubuntu 24.04 have clang 14, whose formatting is the project's; elsewhere the
# default clang fuzzes and formatting is not checked.
choose_clang() {
  case $(. /etc/os-release && echo "$ID $VERSION_ID") in
    "debian 12" | "ubuntu 24.04") clang_packages=(clang-14 libclang-rt-14-dev clang-format-14) ;;
    *) clang_packages=(clang libclang-rt-dev) ;;
  esac
}

build_fuzzers() {
  local clang
  clang=$(command -v clang++-14 || command -v clang++) || fail "clang++ is not installed"
  configure fuzz "-DCMAKE_CXX_COMPILER=$clang"
  build fuzz fuzzers
}

# build/fuzz/fuzzers/fuzz_NAME -> NAME
name_of() { printf '%s' "${1##*/fuzz_}"; }

# One target: starts from the kept corpus, leaves new inputs and findings under build/fuzz. An input may take 10 s in the
# program itself; instrumented, with another target beside it, it gets 30.
fuzz_one() {
  local program=$1 seconds=$2 name corpus=() work
  name=$(name_of "$program")
  work=build/fuzz/corpus/$name
  mkdir -p "$work" "build/fuzz/findings/$name"
  [[ -d tests/fuzz/corpus/$name ]] && corpus=("tests/fuzz/corpus/$name")
  "$program" -max_total_time="$seconds" -timeout=30 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$name/" "$work" "${corpus[@]}" >"build/fuzz/$name.log" 2>&1
}

# run_fuzzers SECONDS: every target, two at a time; fails if one finds something.
run_fuzzers() {
  local programs program name passed=0 failed=0
  mapfile -t programs < <(find build/fuzz/fuzzers -maxdepth 1 -name 'fuzz_*' -type f -executable | sort)
  [[ ${#programs[@]} -gt 0 ]] || fail "build/fuzz/fuzzers has no fuzz target"
  local -A jobs=()
  for program in "${programs[@]}"; do
    while [[ $(jobs -rp | wc -l) -ge 2 ]]; do sleep 0.5; done
    fuzz_one "$program" "$1" &
    jobs[$program]=$!
  done
  for program in "${programs[@]}"; do
    name=$(name_of "$program")
    if wait "${jobs[$program]}"; then
      passed=$((passed + 1))
      echo "fuzz $name: passed, $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs"
    else
      failed=$((failed + 1))
      tail -n 40 "build/fuzz/$name.log"
      echo "fuzz $name: FAILED, the input is in build/fuzz/findings/$name"
    fi
  done
  echo "fuzzing: $passed passed, $failed failed"
  [[ $failed -eq 0 ]]
}
