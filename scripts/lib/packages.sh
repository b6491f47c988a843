# shellcheck shell=bash
# What has to be installed, and installing it with apt. Needs common.sh.

# shellcheck disable=SC2034  # used by those who source this
build_packages=(g++ cmake ninja-build python3 python3-venv ca-certificates libsqlite3-dev zlib1g-dev
  nlohmann-json3-dev libcli11-dev libfmt-dev libutf8proc-dev libpcre2-dev
  # The window: GLFW needs the headers only and opens the libraries at run time.
  gcc pkgconf libx11-dev libxrandr-dev libxinerama-dev libxcursor-dev libxi-dev libxext-dev
  libwayland-dev libwayland-bin libxkbcommon-dev fonts-inter fonts-jetbrains-mono
  # Pictures without a display, and a window without a GPU.
  libegl1 libgl1 libopengl0 libgl1-mesa-dri)

# Names of the arguments that are not installed, one per line. One dpkg-query for all of them: this runs at every start.
missing_packages() {
  local installed
  installed=$(dpkg-query --show --showformat='${db:Status-Abbrev}${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^.i *//p' || true)
  printf '%s\n' "$@" | grep -Fxv -f <(printf '%s\n' "$installed") || true
}

# The words that make a command run as root; fails with the command to give to an administrator.
set_as_root() {
  as_root=()
  [[ $(id -u) -eq 0 ]] && return
  if ! command -v sudo >/dev/null; then
    fail "not root and no sudo; have an administrator run: apt-get install $*"
  fi
  as_root=(sudo)
  sudo -n true 2>/dev/null && return
  sudo -v ||
    fail "sudo did not make this user root (no terminal to ask for the password? not allowed?); have an administrator run: apt-get install $*"
}

# apt_get COMMAND ARGUMENT...: without questions, and without a word on stdout, which is the program's.
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --yes --quiet --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

# install_packages NAME...: installs those that are missing, after saying so. Catch2 needs catch2.sh.
install_packages() {
  local missing plain=() name
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return
  command -v apt-get >/dev/null ||
    fail "this needs Debian or Ubuntu with apt; elsewhere install what these packages hold: ${missing[*]}"
  say "about to install with apt: ${missing[*]}"
  set_as_root "${missing[@]}"
  apt_get update || say "apt-get update had problems, see above; trying all the same"  # an unrelated source may be broken
  for name in "${missing[@]}"; do
    [[ $name == catch2 ]] || plain+=("$name")
  done
  [[ ${#plain[@]} -eq 0 ]] || apt_get install "${plain[@]}" ||
    fail "apt-get install failed, its reason is above; these packages are needed: ${plain[*]}"
  [[ ${#plain[@]} -eq ${#missing[@]} ]] || install_catch2
}
